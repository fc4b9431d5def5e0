namespace Cake.K3s.Tools.Debian;

/// <summary>What the host says of itself in <c>/etc/os-release</c>.</summary>
/// <param name="Id">The distribution, e.g. <c>debian</c> or <c>ubuntu</c>.</param>
/// <param name="Codename">Its release, e.g. <c>bookworm</c>.</param>
internal sealed record DebianHost(string Id, string Codename)
{
    /// <summary>The branch that has no updates and security fixes apart from itself.</summary>
    public const string Unstable = "sid";

    private const string Current = "trixie";

    /// <summary>The codename of a release, as the mirror that this host uses knows it.</summary>
    public string CodenameOf(DebianRelease release) => (release, Id) switch
    {
        (DebianRelease.Current, "debian") => Current,
        (DebianRelease.Unstable, "debian") => Unstable,
        _ => Codename,
    };

    /// <summary>Reads the text of <c>/etc/os-release</c>; null where it is of no distribution with apt's releases.</summary>
    public static DebianHost? Parse(string osRelease)
    {
        var values = osRelease.Split('\n', StringSplitOptions.TrimEntries)
            .Select(line => line.Split('=', 2))
            .Where(parts => parts.Length == 2)
            .ToLookup(parts => parts[0], parts => parts[1].Trim('"', '\''), StringComparer.Ordinal);
        return (values["ID"].FirstOrDefault(), values["VERSION_CODENAME"].FirstOrDefault()) is ({ Length: > 0 } id, { Length: > 0 } codename)
            ? new DebianHost(id, codename)
            : null;
    }
}
