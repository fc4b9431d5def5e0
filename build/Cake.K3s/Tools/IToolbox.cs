namespace Cake.K3s.Tools;

/// <summary>Finds external programs: on PATH, in <c>.tools/</c>, or by fetching them there.</summary>
public interface IToolbox
{
    /// <summary>Makes sure of a tool and tells where it is.</summary>
    /// <param name="tool">The tool.</param>
    /// <param name="neededBy">What needs it, for the error, e.g. <c>task Sign</c>.</param>
    /// <param name="cancellationToken">Cancels a download.</param>
    /// <exception cref="K3sException">It cannot be had (exit code 5): the message names the tool, what needs it and the ways to get it.</exception>
    Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken);
}

/// <summary>A program that was found.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Path">Absolute path of the executable.</param>
/// <param name="Environment">Variables it must be run with, e.g. LD_LIBRARY_PATH for unpacked packages; may be empty.</param>
/// <param name="Source">Where it comes from, for people: <c>PATH</c>, <c>.tools</c> or <c>Debian trixie cosign 2.5.0-2+b4</c>.</param>
public sealed record Tool(
    ToolName Name,
    string Path,
    System.Collections.Immutable.ImmutableDictionary<string, string?> Environment,
    string Source);
