using System.Collections.Concurrent;
using Cake.Core;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Forges;

/// <summary>
/// Also tells the runner of Gitea or GitHub Actions each secret, so that it hides it in the log of every later step. The runner takes
/// such a line out of the log; it is written in its jobs alone.
/// </summary>
internal sealed class AnnouncingMask(ISecretMask mask, IConsole console) : ISecretMask
{
    // Hiding less would garble the log: a runner replaces it wherever it stands.
    private const int Shortest = 4;

    private readonly ConcurrentDictionary<string, bool> _announced = new(StringComparer.Ordinal);

    public void Add(Secret secret)
    {
        mask.Add(secret);

        // Of a secret of several lines the runner hides each.
        foreach (var line in secret.Reveal().Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Length >= Shortest))
        {
            if (_announced.TryAdd(line, true))
            {
                console.WriteLine("{0}", "::add-mask::" + LogGroups.Data(line));
            }
        }
    }

    public string Hide(string text) => mask.Hide(text);
}
