namespace Cake.K3s.Hardening;

/// <summary>One change that a control makes.</summary>
/// <param name="Target">Where: a node's name, <c>namespace/name</c> of an object, a zone.</param>
/// <param name="Description">What, in one line.</param>
/// <param name="Difference">The change as a unified diff, secrets masked; null where there is no text to compare.</param>
public sealed record PlannedChange(string Target, string Description, string? Difference = null);
