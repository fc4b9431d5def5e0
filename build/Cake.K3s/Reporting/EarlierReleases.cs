using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>How long the releases before the present one took, for comparison.</summary>
/// <param name="Releases">The last ten that reached a verdict, the newest first.</param>
public sealed record EarlierReleases(ImmutableArray<EarlierRelease> Releases) : RunEvent;

/// <summary>A release of the past.</summary>
/// <param name="Number">Its number.</param>
/// <param name="State">How it ended, e.g. <c>Verified</c>.</param>
/// <param name="StartedAt">When it was recorded.</param>
/// <param name="ApplySeconds">From the record to the last object; null where that is not known.</param>
/// <param name="VerifySeconds">From there to the verdict; null where that is not known.</param>
/// <param name="TaskSeconds">How long each task of its run took.</param>
public sealed record EarlierRelease(
    int Number, string State, DateTimeOffset StartedAt, double? ApplySeconds, double? VerifySeconds, ImmutableSortedDictionary<string, double> TaskSeconds);
