using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>An object of the cluster was changed.</summary>
/// <param name="Kind">Its kind, e.g. <c>Deployment</c>.</param>
/// <param name="Namespace">Its namespace; null for an object of the whole cluster.</param>
/// <param name="Name">Its name.</param>
/// <param name="Change">What was done.</param>
/// <param name="Fields">The fields that changed, a line or more each; without the values of Secrets.</param>
public sealed record ObjectChanged(string Kind, string? Namespace, string Name, ObjectChange Change, ImmutableArray<string> Fields) : RunEvent
{
    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => this with { Fields = [.. Fields.Select(hide)] };
}

/// <summary>What was done with an object.</summary>
public enum ObjectChange
{
    /// <summary>It was made.</summary>
    Created,

    /// <summary>Fields of it were changed.</summary>
    Updated,

    /// <summary>It was deleted and made anew.</summary>
    Replaced,

    /// <summary>It was deleted.</summary>
    Deleted,
}
