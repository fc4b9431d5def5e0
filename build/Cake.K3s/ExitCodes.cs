namespace Cake.K3s;

/// <summary>The exit codes of a run, as documented in docs/exit-codes.md.</summary>
public static class ExitCodes
{
    /// <summary>All that was asked for is done and verified.</summary>
    public const int Success = 0;

    /// <summary>A task failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line, deploy.yaml or a manifest is wrong; nothing was started.</summary>
    public const int BadInput = 2;

    /// <summary>The rollout failed and the last good release was put back.</summary>
    public const int RolledBack = 3;

    /// <summary>Another run holds the deploy lock.</summary>
    public const int LockHeld = 4;

    /// <summary>A tool, a secret or a server that the run needs is missing; nothing was started.</summary>
    public const int RequirementMissing = 5;

    /// <summary>Cancelled by Ctrl+C or SIGTERM (128 + SIGINT, the shell's convention).</summary>
    public const int Cancelled = 130;
}
