using System.Globalization;

namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>Durations as kubectl shows them: <c>42s</c>, <c>5m10s</c>, <c>3h</c>, <c>12d</c>.</summary>
internal static class Ages
{
    public static string Since(string? time, DateTimeOffset now)
        => DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var then) ? Text(now - then) : "<unknown>";

    public static string Text(TimeSpan age)
    {
        var seconds = (long)age.TotalSeconds;
        return seconds switch
        {
            < -1 => "<invalid>",
            < 0 => "0s",
            < 120 => $"{seconds}s",
            < 600 => Two(seconds / 60, "m", seconds % 60, "s"),
            < 10800 => $"{seconds / 60}m",
            < 28800 => Two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
            < 172800 => $"{seconds / 3600}h",
            < 691200 => Two(seconds / 86400, "d", seconds % 86400 / 3600, "h"),
            < 63072000 => $"{seconds / 86400}d",
            < 252288000 => Two(seconds / 31536000, "y", seconds % 31536000 / 86400, "d"),
            _ => $"{seconds / 31536000}y",
        };
    }

    private static string Two(long large, string unit, long small, string lesser)
        => small == 0 ? $"{large}{unit}" : $"{large}{unit}{small}{lesser}";
}
