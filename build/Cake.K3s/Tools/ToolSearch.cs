namespace Cake.K3s.Tools;

/// <summary>What a search for a tool found, without fetching it.</summary>
/// <param name="Definition">The tool.</param>
/// <param name="Found">Where it is; null where it is not.</param>
/// <param name="Version">Its version, where it tells one.</param>
/// <param name="CanBeFetched">Whether there is a way to fetch it on this machine.</param>
/// <param name="Reasons">Why what was met on the way will not do.</param>
internal sealed record ToolSearch(ToolDefinition Definition, Tool? Found, Version? Version, bool CanBeFetched, IReadOnlyList<string> Reasons);
