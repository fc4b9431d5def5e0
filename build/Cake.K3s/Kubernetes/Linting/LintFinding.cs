using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Something that a rule found.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Place">Where.</param>
/// <param name="Subject">The object or file that it is about.</param>
/// <param name="Message">What is wrong.</param>
internal sealed record LintFinding(LintRule Rule, ManifestPlace Place, string Subject, string Message)
{
    /// <summary><c>file:line:column: Deployment/api: message (K3S001 name)</c>.</summary>
    public override string ToString() => $"{Place}: {Subject}: {Message} ({Rule.Id} {Rule.Name})";
}

/// <summary>How much a finding matters.</summary>
internal enum LintSeverity
{
    /// <summary>It works, and may take the app down one day.</summary>
    Warning,

    /// <summary>It cannot work, or it gives a secret away. Lint fails.</summary>
    Error,
}
