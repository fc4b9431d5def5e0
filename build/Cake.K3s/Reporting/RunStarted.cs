using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>A run begins; reported before anything is checked or opened. Dry runs report nothing.</summary>
/// <param name="Target">The task that was asked for; of several the first.</param>
/// <param name="Tasks">The tasks that will run unless one fails, in an order in which they may.</param>
public sealed record RunStarted(string Target, ImmutableArray<string> Tasks) : RunEvent;
