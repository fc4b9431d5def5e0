namespace Cake.K3s.Reporting;

/// <summary>Something that happened in a run.</summary>
public abstract record RunEvent
{
    /// <summary>When; the reporter fills it in where it is left out.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The task in which it happened, filled in by the reporter; null outside of tasks.</summary>
    public string? Task { get; init; }

    /// <summary>The event with all that people or programs wrote passed through a function that hides secrets.</summary>
    protected internal virtual RunEvent Masked(Func<string, string> hide) => this;
}
