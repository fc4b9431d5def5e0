using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Cake.K3s.Settings;

namespace Cake.K3s.Processes;

/// <summary>The run's secrets in every form in which a program may print them. Safe to call from many threads.</summary>
internal sealed class SecretMask : ISecretMask
{
    private const string Hidden = "***";

    // A line of a longer secret that is shorter than this says nothing, and hiding it would garble all other output.
    private const int ShortestLine = 4;

    private readonly Lock _adding = new();
    private Needles _needles = new([]);

    public void Add(Secret secret)
    {
        var forms = FormsOf(secret.Reveal());
        lock (_adding)
        {
            var all = _needles.Longest.Union(forms, StringComparer.Ordinal).OrderByDescending(form => form.Length).ToImmutableArray();
            if (all.Length != _needles.Longest.Length)
            {
                Volatile.Write(ref _needles, new Needles(all));
            }
        }
    }

    public string Hide(string text)
    {
        var needles = Volatile.Read(ref _needles);
        return needles.AreIn(text) ? needles.Longest.Aggregate(text, (hidden, needle) => hidden.Replace(needle, Hidden, StringComparison.Ordinal)) : text;
    }

    private static IEnumerable<string> FormsOf(string value)
    {
        var trimmed = value.Trim();
        if (trimmed.Length == 0)
        {
            return [];
        }

        var lines = trimmed.Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Length >= ShortestLine);
        return [trimmed, .. lines, Base64(value), Base64(trimmed), Uri.EscapeDataString(trimmed), JsonEncodedText.Encode(trimmed).ToString()];
    }

    // Without the padding: what follows the secret inside a longer base64 text changes the end.
    private static string Base64(string value) => Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).TrimEnd('=');

    private sealed class Needles(ImmutableArray<string> longest)
    {
        private readonly SearchValues<string> _search = SearchValues.Create(longest.AsSpan(), StringComparison.Ordinal);

        // The longest first, so that a secret that contains another one is hidden as a whole.
        public ImmutableArray<string> Longest => longest;

        public bool AreIn(string text) => text.AsSpan().ContainsAny(_search);
    }
}
