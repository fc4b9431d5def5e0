using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cake.K3s.Images;
using Cake.K3s.Settings;

namespace Cake.K3s.Checks;

/// <summary>
/// Remembers which commands passed on which content, as small files under <c>artifacts/checks/</c>: a run that is killed writes
/// none, so its check runs again.
/// </summary>
/// <param name="directory">Absolute path of the directory of the stamps.</param>
internal sealed class CheckStamps(string directory)
{
    // To be raised when what a key covers changes.
    private const string Version = "1";

    /// <summary>The key of a command and the content of its sources.</summary>
    /// <param name="root">Absolute path of the directory of deploy.yaml.</param>
    /// <param name="check">The command.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<string> KeyAsync(string root, CheckCommand check, CancellationToken cancellationToken)
    {
        var files = ContextFiles.Sources(root, check.Sources).ToArray();
        var lines = new string[files.Length];
        await Parallel.ForAsync(0, files.Length, cancellationToken, async (i, token) => lines[i] = await ContentKey.LineAsync(root, files[i], token));
        Array.Sort(lines, StringComparer.Ordinal);
        return Hash(["version " + Version, "run " + check.Run, .. lines]);
    }

    /// <summary>When the command passed on exactly this content; null if it is not known to have.</summary>
    public DateTimeOffset? PassedAt(string key) =>
        File.Exists(FileOf(key))
        && DateTimeOffset.TryParse(File.ReadAllText(FileOf(key)), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time)
            ? time
            : null;

    /// <summary>Remembers that it passed.</summary>
    public void Write(string key, DateTimeOffset time)
    {
        Directory.CreateDirectory(directory);
        var partial = FileOf(key) + ".partial";
        File.WriteAllText(partial, time.ToString("O", CultureInfo.InvariantCulture));
        File.Move(partial, FileOf(key), overwrite: true);
    }

    private string FileOf(string key) => Path.Combine(directory, key);

    private static string Hash(IEnumerable<string> lines) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', lines))));
}
