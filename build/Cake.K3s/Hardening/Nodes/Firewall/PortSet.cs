using System.Collections.Immutable;
using System.Globalization;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>The ports of a firewall rule, as UFW writes them: <c>any</c>, <c>22</c>, <c>80,443</c>, <c>2379:2380</c>.</summary>
/// <param name="Text">As UFW writes them.</param>
/// <param name="Spans">First and last port of each part.</param>
internal sealed record PortSet(string Text, ImmutableArray<(int First, int Last)> Spans)
{
    /// <summary>Every port, and protocols that have none.</summary>
    public static PortSet Any { get; } = new("any", [(0, 65535)]);

    /// <summary>Whether it is every port.</summary>
    public bool IsAny => Text == Any.Text;

    /// <summary>Reads them; null where this is not how UFW writes ports.</summary>
    public static PortSet? Parse(string text)
    {
        if (text == Any.Text)
        {
            return Any;
        }

        var spans = ImmutableArray.CreateBuilder<(int, int)>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split(':');
            if (ends.Length > 2 || !TryPort(ends[0], out var first) || !TryPort(ends[^1], out var last) || last < first)
            {
                return null;
            }

            spans.Add((first, last));
        }

        return new PortSet(text, spans.ToImmutable());
    }

    /// <summary>Whether a port is one of them.</summary>
    public bool Contains(int port) => Spans.Any(span => span.First <= port && port <= span.Last);

    /// <summary>Whether each of these ports is one of the given.</summary>
    public bool IsWithin(IReadOnlyCollection<int> ports) =>
        !IsAny && Spans.All(span => Enumerable.Range(span.First, span.Last - span.First + 1).All(ports.Contains));

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <inheritdoc/>
    public bool Equals(PortSet? other) => other?.Text == Text;

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;
}
