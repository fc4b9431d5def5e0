namespace Cake.K3s.Kubernetes.Api;

/// <summary>How often and after what time a request is sent again.</summary>
internal sealed record RetryOptions
{
    /// <summary>
    /// Repetitions after the first attempt. With the delays below they span about 16 s: the restart of a K3s server, and with one
    /// answer in ten lost, one request in 10^9 fails.
    /// </summary>
    public int Repetitions { get; init; } = 8;

    /// <summary>The first delay; each following one is twice as long, with jitter.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>No delay is longer, unless the server's Retry-After says so.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The first attempt is cut after this long, each following one after twice that, up to <see cref="LongestAttempt"/>: a stalled
    /// connection costs little, and a slow admission webhook (30 s at most) still gets its time.
    /// </summary>
    public TimeSpan FirstAttempt { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>No attempt lasts longer.</summary>
    public TimeSpan LongestAttempt { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an attempt may last.</summary>
    /// <param name="attempt">From 0.</param>
    public TimeSpan LimitOf(int attempt) =>
        TimeSpan.FromTicks(Math.Min(LongestAttempt.Ticks, FirstAttempt.Ticks << Math.Min(attempt, 10)));
}
