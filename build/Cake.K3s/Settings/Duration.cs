namespace Cake.K3s.Settings;

/// <summary>A length of time, written in deploy.yaml as <c>90s</c>, <c>5m</c> or <c>1h30m</c> (Go's form, as in Kubernetes).</summary>
/// <param name="Value">The length.</param>
public readonly record struct Duration(TimeSpan Value)
{
    /// <summary>A number of minutes.</summary>
    public static Duration FromMinutes(int minutes) => new(TimeSpan.FromMinutes(minutes));
}
