namespace Cake.K3s.Hosting;

/// <summary>Every switch of the library, beyond Cake's own. One that is not listed is refused, so a typing error never runs for real.</summary>
public static class Switches
{
    /// <summary>The environment to work on.</summary>
    public const string Environment = "environment";

    /// <summary>Another file than deploy.yaml.</summary>
    public const string Settings = "settings";

    /// <summary>Builds images though the registry has them.</summary>
    public const string Rebuild = "rebuild";

    /// <summary>Runs checks though nothing changed.</summary>
    public const string Rerun = "rerun";

    /// <summary>How long to wait for another run's deploy lock.</summary>
    public const string LockWait = "lock-wait";

    /// <summary>The release that Rollback goes back to.</summary>
    public const string To = "to";

    /// <summary>The plan that a deploy must not differ from.</summary>
    public const string Plan = "plan";

    /// <summary>The file that Plan writes.</summary>
    public const string Out = "out";

    /// <summary>How Plan shows its plan.</summary>
    public const string Format = "format";

    /// <summary>Takes over fields that another manager owns.</summary>
    public const string ForceConflicts = "force-conflicts";

    /// <summary>The image that Verify tells about.</summary>
    public const string Image = "image";

    /// <summary>Another registry than the environment's.</summary>
    public const string Registry = "registry";

    /// <summary>The registry that MirrorImages copies to.</summary>
    public const string Mirror = "mirror";

    /// <summary>Moves tags that name another image.</summary>
    public const string ForceTag = "force-tag";

    /// <summary>The backup to restore.</summary>
    public const string Backup = "backup";

    /// <summary>The secret with the address of the database that Restore fills.</summary>
    public const string Into = "into";

    /// <summary>Deletes for real what PruneRegistry and PruneBackups show.</summary>
    public const string Confirm = "confirm";

    /// <summary>The nodes to harden.</summary>
    public const string Nodes = "nodes";

    /// <summary>The controls to look at or to put in place.</summary>
    public const string Controls = "controls";

    /// <summary>Makes Audit fail where a control is not in place.</summary>
    public const string FailOnDrift = "fail-on-drift";

    /// <summary>The shell whose completion script is written.</summary>
    public const string Completion = "completion";

    /// <summary>Each switch with what it does, in the order that help shows them.</summary>
    public static IReadOnlyList<Switch> All { get; } =
    [
        new(Environment, "NAME", "the environment of deploy.yaml to work on; its default one otherwise"),
        new(Settings, "FILE", "another file than deploy.yaml"),
        new(Rebuild, null, "build images though the registry has them"),
        new(ForceTag, null, "Push: move tags that name another image"),
        new(Rerun, null, "run Lint's and Test's commands, and Harden's proofs, though nothing changed"),
        new(Plan, "FILE", "Deploy: apply exactly this plan, and refuse if anything drifted; Harden, without FILE: show what it would change"),
        new(Nodes, "NAME,NAME", "Audit, Harden, Undo: the nodes to work on; all otherwise"),
        new(Controls, "NAME,NAME", "Audit, Harden: these controls, in their safe order; all otherwise"),
        new(FailOnDrift, null, "Audit: fail where a control is not in place"),
        new(Out, "FILE", "Plan: write the plan to a file; Export: the archive's file"),
        new(Format, "text|markdown|json", "Plan: how it is shown"),
        new(ForceConflicts, null, "take over fields that another manager owns"),
        new(LockWait, "SECONDS", "wait this long for another run's deploy lock"),
        new(To, "NUMBER", "Rollback: the release to go back to"),
        new(Image, "NAME|REFERENCE", "Verify: the image to tell about; all that were pushed last otherwise"),
        new(Registry, "ADDRESS", "another registry than the environment's, e.g. its mirror; http:// before it for plain HTTP"),
        new(Mirror, "ADDRESS", "MirrorImages: the registry to copy to"),
        new(Backup, "NAME", "Restore, RestoreDrill: the backup to take; the newest otherwise"),
        new(Into, "SECRET", "Restore: the secret with the URL of the empty database to fill; SwitchDatabase: of the other one"),
        new(Confirm, null, "PruneRegistry, PruneBackups, UnblockWebhooks, CleanUp: delete what is shown"),
        new("purge", null, "SandboxDown: remove the sandbox's data too"),
        new("sequential", null, "run one task at a time"),
        new("fail-fast", null, "stop running tasks at the first failure"),
        new(Completion, "bash|zsh|powershell", "write the script that completes this command line in a shell"),
    ];

    /// <summary>Those of Cake and of this library.</summary>
    internal static IReadOnlyList<Switch> Everything { get; } =
    [
        new("target", "TASK", "the task to run; may be given several times"),
        new("exclusive", null, "run the target without its dependencies"),
        new("dryrun", null, "show which tasks would run; run none"),
        new("tree", null, "show which task depends on which"),
        new("description", null, "list the tasks with their descriptions"),
        new("verbosity", "quiet|minimal|normal|verbose|diagnostic", "how much is written"),
        new("working", "DIRECTORY", "the working directory: where the app is, if not here"),
        new("version", null, "show the version"),
        new("info", null, "show the version and what it is made of"),
        new("help", null, "show help"),
        .. All,
    ];

    /// <summary>The library's switches, and examples of command lines, a line each.</summary>
    internal static IReadOnlyList<string> Help { get; } =
    [
        .. All.Select(known => $"  {(known.Value is null ? $"--{known.Name}" : $"--{known.Name}={known.Value}").PadRight(36)}{known.Meaning}"),
        "",
        "Examples",
        "  ./build.sh --target=Deploy                             deploy to the default environment, the sandbox on this machine",
        "  ./build.sh --target=Deploy --environment=production    the same graph, at a cluster of yours",
        "  ./build.sh --target=Plan --environment=production      what that would change; changes nothing",
        "  ./build.sh --target=Rollback --to=12                   put release 12 back",
        "  ./build.sh --target=Init --working=../notes            begin with another app; then --target=Doctor",
        "  eval \"$(./build.sh --completion=bash)\"                 complete targets and switches in this shell",
    ];
}

/// <summary>A switch of the command line.</summary>
/// <param name="Name">The name, without dashes.</param>
/// <param name="Value">What stands for its value in help; null for a flag.</param>
/// <param name="Meaning">What it does, as part of a sentence.</param>
public sealed record Switch(string Name, string? Value, string Meaning);
