namespace Cake.K3s.Settings;

/// <summary>The one place that environment variables are read from.</summary>
internal sealed class EnvironmentVariables(Func<string, string?> read)
{
    /// <summary>The variables of this process.</summary>
    public static EnvironmentVariables OfProcess { get; } = new(Environment.GetEnvironmentVariable);

    /// <summary>The value of a variable; null where it is not set or empty.</summary>
    public string? this[string name] => read(name) is { Length: > 0 } value ? value : null;

    /// <summary>Whether the run is one of a CI server: <c>CI</c> is set, to anything but <c>false</c> or <c>0</c>.</summary>
    public bool IsCI => this["CI"] is { } ci && !ci.Equals("false", StringComparison.OrdinalIgnoreCase) && ci != "0";
}
