namespace Cake.K3s.Edge.Hetzner;

/// <summary>Hetzner's API refused something, or could not be reached.</summary>
internal sealed class HetznerException(string code, string message, Exception? innerException = null)
    : K3sException(
        ExitCodes.Failed,
        $"Hetzner: {message}",
        code is "unauthorized" or "forbidden"
            ? "Make a token that may read and write, of the servers' project, in Hetzner's console; hardening.privateNetwork.token says where it is read from."
            : "Run it again; what is done already is not done twice.",
        innerException: innerException)
{
    /// <summary>Hetzner's own code, e.g. <c>uniqueness_error</c>; empty where it told none.</summary>
    public string Code => code;

    /// <summary>Whether there is something of that name already.</summary>
    public bool IsNameTaken => code == "uniqueness_error";
}
