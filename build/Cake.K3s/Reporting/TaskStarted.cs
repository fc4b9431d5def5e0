namespace Cake.K3s.Reporting;

/// <summary>A task begins; one that is skipped begins too, and ends at once.</summary>
/// <param name="Name">The task's name.</param>
public sealed record TaskStarted(string Name) : RunEvent;
