namespace Cake.K3s.Hardening.Roadmap;

/// <summary>What the tests of a control prove it with.</summary>
/// <param name="real">What is real; null for nothing.</param>
/// <param name="standIn">What something else stands in for; null for nothing.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ProvedByAttribute(string? real, string? standIn) : Attribute
{
    /// <summary>What is real; null for nothing.</summary>
    public string? Real => real;

    /// <summary>What something else stands in for; null for nothing.</summary>
    public string? StandIn => standIn;
}
