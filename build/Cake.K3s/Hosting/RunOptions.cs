using System.Collections.Immutable;
using Cake.K3s.Kubernetes.Planning;

namespace Cake.K3s.Hosting;

/// <summary>What the command line says beyond Cake's own switches. Immutable; made once a run from <c>ICakeArguments</c>.</summary>
public sealed record RunOptions
{
    /// <summary>Absolute path of the repository: the directory that holds deploy.yaml.</summary>
    public required string Root { get; init; }

    /// <summary>Absolute path of the directory that the run was started in, or that <c>--working</c> names.</summary>
    public string WorkingDirectory { get => field ?? Root; init; }

    /// <summary><c>--settings</c>: absolute path of deploy.yaml.</summary>
    public required string SettingsFile { get; init; }

    /// <summary><c>--environment</c>: the environment's name; null for deploy.yaml's default.</summary>
    public string? Environment { get; init; }

    /// <summary><c>--rebuild</c>: builds images even where the registry has them.</summary>
    public bool Rebuild { get; init; }

    /// <summary><c>--force-tag</c>: moves tags that name another image.</summary>
    public bool ForceTag { get; init; }

    /// <summary><c>--lock-wait</c>: how long to wait for another run's deploy lock; zero fails at once.</summary>
    public TimeSpan LockWait { get; init; }

    /// <summary><c>--to</c>: the release that Rollback goes back to; null for the last good one.</summary>
    public int? ToRelease { get; init; }

    /// <summary><c>--rerun</c>: runs the commands of Lint and Test, and the proofs of Harden, even where nothing changed.</summary>
    public bool Rerun { get; init; }

    /// <summary><c>--plan</c>: absolute path of the plan that a deploy must not differ from; null for none.</summary>
    public string? PlanFile { get; init; }

    /// <summary><c>--out</c>: absolute path of the file that Plan writes; null for none.</summary>
    public string? PlanOut { get; init; }

    /// <summary><c>--format</c>: how Plan shows its plan.</summary>
    public PlanFormat PlanFormat { get; init; }

    /// <summary><c>--force-conflicts</c>: takes over fields that another manager owns.</summary>
    public bool ForceConflicts { get; init; }

    /// <summary><c>--image</c>: the image that Verify tells about; null for all.</summary>
    public string? Image { get; init; }

    /// <summary><c>--registry</c>: another registry than the environment's; null for that.</summary>
    public string? Registry { get; init; }

    /// <summary><c>--mirror</c>: the registry that MirrorImages copies to.</summary>
    public string? Mirror { get; init; }

    /// <summary><c>--completion</c>: the shell whose completion script Default writes; null for none.</summary>
    public string? Completion { get; init; }

    /// <summary>Whether the run only lists what there is to run.</summary>
    internal bool IsListing { get; init; }

    /// <summary><c>--backup</c>: the name of the backup to restore; null for the newest.</summary>
    public string? Backup { get; init; }

    /// <summary><c>--into</c>: the secret with the URL of the database that Restore fills.</summary>
    public string? Into { get; init; }

    /// <summary><c>--confirm</c>: PruneRegistry and PruneBackups delete what they show.</summary>
    public bool Confirm { get; init; }

    /// <summary><c>--nodes</c>: the names of the nodes to work on; empty for all.</summary>
    public ImmutableArray<string> Nodes { get; init; } = [];

    /// <summary><c>--controls</c>: the names of the controls that Audit looks at and Harden puts in place; empty for all.</summary>
    public ImmutableArray<string> Controls { get; init; } = [];

    /// <summary><c>--plan</c> without a file: Harden shows its changes and makes none.</summary>
    public bool ShowPlan { get; init; }

    /// <summary><c>--fail-on-drift</c>: Audit fails where a control is not in place.</summary>
    public bool FailOnDrift { get; init; }

    /// <summary>Absolute path of <c>.tools/</c>.</summary>
    public string ToolsDirectory => Path.Combine(Root, ".tools");

    /// <summary>Absolute path of <c>.sandbox/</c>.</summary>
    public string SandboxDirectory => Path.Combine(Root, ".sandbox");

    /// <summary>Absolute path of <c>artifacts/</c>.</summary>
    public string ArtifactsDirectory => Path.Combine(Root, "artifacts");
}
