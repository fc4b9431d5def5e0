namespace Cake.K3s.Reporting;

/// <summary>A line of text for the operator.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Source">What it is about: an image, a workload, a tool, a task.</param>
/// <param name="Text">The line.</param>
public sealed record LineReported(LineLevel Level, string Source, string Text) : RunEvent
{
    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => this with { Text = hide(Text) };
}

/// <summary>How much a line matters.</summary>
public enum LineLevel
{
    /// <summary>A program's own output; shown live, folded in CI.</summary>
    Output,

    /// <summary>A step that was done or skipped, and why.</summary>
    Step,

    /// <summary>Something to look at that does not stop the run.</summary>
    Warning,
}
