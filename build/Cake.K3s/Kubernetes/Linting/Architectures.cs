using System.Text.RegularExpressions;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>For which machines an image is, as far as its name says.</summary>
internal static partial class Architectures
{
    /// <summary>What the nodes are.</summary>
    public const string Node = "linux/amd64";

    /// <summary>The platform that an image is for, when it is surely not that of the nodes; else null.</summary>
    /// <param name="platform">What <c>--platform</c> says; empty, or with a variable, when it is not known.</param>
    /// <param name="image">The image's reference.</param>
    public static string? Of(string platform, string image)
    {
        if (platform.Length > 0 && !platform.Contains('$', StringComparison.Ordinal))
        {
            return platform is Node or "linux/x86_64" or "amd64" ? null : platform;
        }

        // Docker Hub's namespaces of one architecture each (arm64v8/redis), and tags that end in one (3.2-arm64).
        var found = OfName().Match(image) is { Success: true } name ? name.Groups[1].Value
            : OfTag().Match(image) is { Success: true } tag ? tag.Groups[1].Value : null;
        return found is null ? null : $"linux/{found}";
    }

    [GeneratedRegex(@"^(?:docker\.io/)?(arm32v[5-7]|arm64v8|i386|mips64le|ppc64le|riscv64|s390x)/")]
    private static partial Regex OfName();

    [GeneratedRegex(@":[^@/]*[-_.](arm64(?:v8)?|aarch64|armhf|armv[5-7]l?|arm32v[5-7]|arm|386|ppc64le|riscv64|s390x)(?:@|$)")]
    private static partial Regex OfTag();
}
