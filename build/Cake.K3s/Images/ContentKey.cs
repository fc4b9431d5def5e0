using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>What decides the content of an image, besides its files.</summary>
/// <param name="Image">The image's settings.</param>
/// <param name="Platform">E.g. <c>linux/amd64</c>.</param>
/// <param name="Arguments">All build arguments.</param>
/// <param name="Bases">Base images as the Dockerfile names them, to what they are pinned to; to themselves where they are not.</param>
internal sealed record BuildInputs(
    ImageSettings Image,
    string Platform,
    ImmutableSortedDictionary<string, string> Arguments,
    ImmutableSortedDictionary<string, string> Bases);

/// <summary>
/// The key of an image's content: two builds with the same key would make the same image, so the second need not be done.
/// It covers the build context as Docker is sent it, the Dockerfile, the arguments, the base images, the platform, and, where
/// a <c>prepare</c> command makes part of the context, that command and the files it starts from instead of what it makes.
/// </summary>
internal static class ContentKey
{
    // To be raised when what a key covers, or how images are built from the same files, changes.
    private const string Version = "1";

    // As long as 128 bits: enough against accidents, and short enough for a tag.
    private const int HexLength = 32;

    /// <summary>The registry tag of a key.</summary>
    public static string TagOf(string key) => "key-" + key;

    /// <summary>Whether a tag is one of a key.</summary>
    public static bool IsTag(string tag) => tag.StartsWith(TagOf(""), StringComparison.Ordinal);

    /// <summary>Computes an image's key.</summary>
    /// <param name="root">Absolute path of the directory of deploy.yaml.</param>
    /// <param name="inputs">What counts besides the files.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="SettingsException">The context or the Dockerfile does not exist.</exception>
    public static async Task<string> ComputeAsync(string root, BuildInputs inputs, CancellationToken cancellationToken)
    {
        var image = inputs.Image;
        var context = Path.GetFullPath(Path.Combine(root, image.Context));
        var dockerfile = Path.GetFullPath(Path.Combine(context, image.Dockerfile));
        var sent = ContextFiles.Sent(context, DockerIgnore.Read(context, dockerfile));
        if (image.Prepare is not null)
        {
            var sources = ContextFiles.Sources(context, image.Sources);
            var own = ContextFiles.Sources(context, []).ToHashSet(StringComparer.Ordinal);
            sent = sent.Where(own.Contains).Concat(sources);
        }

        var files = sent.Append(dockerfile).Distinct(StringComparer.Ordinal).ToArray();
        var lines = new string[files.Length];
        await Parallel.ForAsync(0, files.Length, cancellationToken, async (i, token) => lines[i] = await LineAsync(context, files[i], token));
        Array.Sort(lines, StringComparer.Ordinal);

        string[] all =
        [
            "version " + Version,
            "platform " + inputs.Platform,
            "dockerfile " + image.Dockerfile,
            "target " + image.Target,
            "prepare " + image.Prepare,
            .. inputs.Arguments.Select(argument => $"argument {argument.Key}={argument.Value}"),
            .. inputs.Bases.Select(pin => $"base {pin.Key}={pin.Value}"),
            .. lines,
        ];
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', all))))[..HexLength];
    }

    /// <summary>One file as a line: its kind, its name relative to a directory, and its digest or, of a link, its target.</summary>
    internal static async Task<string> LineAsync(string context, string file, CancellationToken cancellationToken)
    {
        var name = Path.GetRelativePath(context, file).Replace('\\', '/');
        if (new FileInfo(file).LinkTarget is { } target)
        {
            return $"link {name} {target}";
        }

        // Of the mode, what git keeps: the rest differs between checkouts by umask.
        var executable = !OperatingSystem.IsWindows() && File.GetUnixFileMode(file).HasFlag(UnixFileMode.UserExecute);
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        return $"{(executable ? "executable" : "file")} {name} {await Digest.OfAsync(stream, cancellationToken)}";
    }
}
