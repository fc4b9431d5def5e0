namespace Cake.K3s.Kubernetes.Planning;

/// <summary>How a plan is shown.</summary>
public enum PlanFormat
{
    /// <summary>Lines for a terminal.</summary>
    Text,

    /// <summary>For a comment on a pull request.</summary>
    Markdown,

    /// <summary>For programs; the form that <c>--plan</c> takes.</summary>
    Json,
}
