using System.Globalization;
using System.Text.RegularExpressions;

namespace Cake.K3s.Settings;

/// <summary>A length of time, written in deploy.yaml as <c>90s</c>, <c>5m</c> or <c>1h30m</c> (Go's form, as in Kubernetes).</summary>
/// <param name="Value">The length.</param>
public readonly partial record struct Duration(TimeSpan Value)
{
    /// <summary>A number of minutes.</summary>
    public static Duration FromMinutes(int minutes) => new(TimeSpan.FromMinutes(minutes));

    /// <summary>Reads <c>1h30m</c>, <c>90s</c>, <c>500ms</c> or <c>0</c>; no sign, units from great to small, each at most once.</summary>
    /// <returns>Whether the text has that form.</returns>
    public static bool TryParse(string? text, out Duration duration)
    {
        duration = default;
        if (text == "0")
        {
            return true;
        }

        if (string.IsNullOrEmpty(text) || Form().Match(text) is not { Success: true } match)
        {
            return false;
        }

        duration = new(Part("h", TimeSpan.FromHours) + Part("m", TimeSpan.FromMinutes) + Part("s", TimeSpan.FromSeconds)
            + Part("ms", TimeSpan.FromMilliseconds));
        return true;

        TimeSpan Part(string unit, Func<double, TimeSpan> make) =>
            match.Groups[unit].Success ? make(double.Parse(match.Groups[unit].Value, CultureInfo.InvariantCulture)) : TimeSpan.Zero;
    }

    /// <summary>The form in which it is written, e.g. <c>1h30m</c>.</summary>
    public override string ToString()
    {
        if (Value == TimeSpan.Zero)
        {
            return "0s";
        }

        var hours = (long)Value.TotalHours;
        return (hours > 0 ? $"{hours}h" : "") + (Value.Minutes > 0 ? $"{Value.Minutes}m" : "")
            + (Value.Seconds > 0 ? $"{Value.Seconds}s" : "") + (Value.Milliseconds > 0 ? $"{Value.Milliseconds}ms" : "");
    }

    // Six digits a unit keep the sum far below TimeSpan's limit.
    [GeneratedRegex(@"^(?=.)((?<h>\d{1,6})h)?((?<m>\d{1,6})m(?!s))?((?<s>\d{1,6}(\.\d{1,3})?)s)?((?<ms>\d{1,6})ms)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
