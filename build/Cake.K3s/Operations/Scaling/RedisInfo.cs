using System.Globalization;

namespace Cake.K3s.Operations.Scaling;

/// <summary>Reads Redis' <c>INFO memory</c>.</summary>
internal static class RedisInfo
{
    /// <summary>How much of its <c>maxmemory</c> Redis uses, in percent; null where it has no such limit, or did not answer.</summary>
    public static double? UsedPercent(IEnumerable<string> lines)
    {
        var values = lines.Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2).GroupBy(pair => pair[0]).ToDictionary(pair => pair.Key, pair => pair.First()[1].Trim());
        return Number("used_memory") is { } used && Number("maxmemory") is { } limit and > 0 ? 100 * used / limit : null;

        double? Number(string name) =>
            values.TryGetValue(name, out var text) && double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
