using System.Text.RegularExpressions;

namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>Words a failed pull as a kubelet over containerd does, so that what reads the reason need not know the sandbox.</summary>
internal static partial class PullFailure
{
    /// <summary>The message of a container that waits with ErrImagePull.</summary>
    /// <param name="image">The reference as the pod names it.</param>
    /// <param name="error">What the Docker engine said.</param>
    public static string Describe(string image, string error)
    {
        var name = Normalize(image);
        var pull = $"failed to pull and unpack image \"{name}\": ";
        var resolve = $"{pull}failed to resolve reference \"{name}\": ";
        error = ResolvePrefix().Replace(error.Trim(), "");
        if (NotFound().IsMatch(error))
        {
            return $"rpc error: code = NotFound desc = {resolve}{name}: not found";
        }

        if (WrongPlatform().IsMatch(error))
        {
            return $"rpc error: code = NotFound desc = {pull}no match for platform in manifest: not found";
        }

        if (Refused().IsMatch(error))
        {
            return $"rpc error: code = Unknown desc = {resolve}pull access denied, repository does not exist or may require authorization: "
                + (error.Contains("authorization failed", StringComparison.Ordinal) ? error[error.IndexOf("authorization failed", StringComparison.Ordinal)..] : "authorization failed: " + error);
        }

        return $"rpc error: code = Unknown desc = {resolve}{error}";
    }

    /// <summary>The reference with registry and tag, as containerd writes it.</summary>
    internal static string Normalize(string image)
    {
        var slash = image.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : image[..slash];
        var hasRegistry = first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost";
        var name = hasRegistry ? image : slash < 0 ? $"docker.io/library/{image}" : $"docker.io/{image}";
        return name.Contains('@', StringComparison.Ordinal) || name.LastIndexOf(':') > name.LastIndexOf('/') ? name : name + ":latest";
    }

    [GeneratedRegex("^(failed to pull and unpack image \"[^\"]*\": )?(failed to resolve reference \"[^\"]*\": )?")]
    private static partial Regex ResolvePrefix();

    [GeneratedRegex(": not found$|manifest unknown|manifest for .* not found|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN")]
    private static partial Regex NotFound();

    [GeneratedRegex("no matching manifest|no match for platform|does not match the specified platform|does not provide the specified platform")]
    private static partial Regex WrongPlatform();

    [GeneratedRegex("pull access denied|no basic auth credentials|401 Unauthorized|403 Forbidden|authentication required|unauthorized", RegexOptions.IgnoreCase)]
    private static partial Regex Refused();
}
