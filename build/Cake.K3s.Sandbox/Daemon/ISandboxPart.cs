namespace Cake.K3s.Sandbox.Daemon;

/// <summary>A program that the sandbox keeps running: it outlives the daemon, and a new daemon takes it over.</summary>
internal interface ISandboxPart
{
    /// <summary>One word, e.g. <c>registry</c>: in messages, and the name of its log.</summary>
    string Name { get; }

    /// <summary>Asks the program itself for an answer; never throws because it has none.</summary>
    Task<PartStatus> CheckAsync(CancellationToken cancellationToken);

    /// <summary>Starts it unless it runs, and returns when it answers.</summary>
    /// <exception cref="K3sException">It did not start: the message has its last lines of log.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Whether its process is there: cheap enough to ask many times a second.</summary>
    bool IsRunning();
}

/// <summary>How a part is.</summary>
/// <param name="Name">The part.</param>
/// <param name="Problem">Why it cannot be used; null when it can.</param>
/// <param name="Version">What runs, for people; empty when not known.</param>
/// <param name="Address">Where it listens, for people.</param>
/// <param name="ProcessId">Its process; null when there is none, or when the sandbox did not start it.</param>
internal sealed record PartStatus(string Name, string? Problem, string Version, string Address, int? ProcessId)
{
    /// <summary>Whether it can be used.</summary>
    public bool IsHealthy => Problem is null;
}
