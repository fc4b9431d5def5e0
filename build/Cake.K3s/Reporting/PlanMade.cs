namespace Cake.K3s.Reporting;

/// <summary>A plan was made and shown.</summary>
/// <param name="Markdown">It, as Markdown; without the values of Secrets.</param>
public sealed record PlanMade(string Markdown) : RunEvent
{
    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => this with { Markdown = hide(Markdown) };
}
