using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Core.IO;

namespace Cake.Frosting.CommandLine;

/// <summary>What a command line asks the host for.</summary>
internal sealed record HostOptions
{
    /// <summary>The tasks to run, as typed; never empty.</summary>
    public required IReadOnlyList<string> Targets { get; init; }

    /// <summary>What is shown or done with them.</summary>
    public HostMode Mode { get; init; }

    /// <summary>Whether the targets run without their dependencies.</summary>
    public bool Exclusive { get; init; }

    /// <summary>How much is written.</summary>
    public Verbosity Verbosity { get; init; } = Verbosity.Normal;

    /// <summary>The working directory; null where none was given.</summary>
    public DirectoryPath? WorkingDirectory { get; init; }

    /// <summary>The arguments that tasks see: all switches that are not the host's, and the targets.</summary>
    public required ICakeArguments Arguments { get; init; }
}

/// <summary>What the host does. Where several are asked for, the first one here is done.</summary>
internal enum HostMode
{
    Help,
    Version,
    Info,
    DryRun,
    Tree,
    Description,
    Run,
}
