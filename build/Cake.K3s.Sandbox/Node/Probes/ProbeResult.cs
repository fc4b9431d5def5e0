namespace Cake.K3s.Sandbox.Node.Probes;

/// <summary>What one probe found; <paramref name="Output"/> is the text of the Unhealthy event.</summary>
internal readonly record struct ProbeResult(bool Passed, string Output)
{
    public static ProbeResult Pass { get; } = new(true, "");

    public static ProbeResult Fail(string output) => new(false, output);
}
