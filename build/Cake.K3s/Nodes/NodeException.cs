namespace Cake.K3s.Nodes;

/// <summary>Something failed on one node; the others are not concerned.</summary>
internal sealed class NodeException(string node, string message, string? nextStep = null, IReadOnlyList<string>? details = null, Exception? innerException = null)
    : K3sException(ExitCodes.Failed, message, nextStep, details, innerException)
{
    /// <summary>The node's name.</summary>
    public string Node => node;

    /// <summary>The connection ended while a script ran; how far it came is not known.</summary>
    public bool IsCutOff { get; init; }
}
