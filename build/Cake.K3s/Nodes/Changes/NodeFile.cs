namespace Cake.K3s.Nodes.Changes;

/// <summary>A file as a change leaves it.</summary>
/// <param name="Path">Absolute path on the node.</param>
/// <param name="Content">Its content; null for no such file.</param>
/// <param name="Mode">Its mode, where it is new, in octal digits; a file that is there keeps its mode and owner.</param>
internal sealed record NodeFile(string Path, string? Content, string Mode = "644");
