using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>A mistake to look for. Ids are never given to another rule: people suppress by them.</summary>
/// <param name="Id">E.g. <c>K3S001</c>.</param>
/// <param name="Name">In words with dashes, e.g. <c>budget-never-satisfied</c>; may stand in place of the id.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Why">What goes wrong, as a sentence.</param>
/// <param name="Hint">What to do, as a sentence.</param>
internal sealed record LintRule(string Id, string Name, LintSeverity Severity, string Why, string Hint)
{
    /// <summary>A finding about an object.</summary>
    /// <param name="manifest">The object.</param>
    /// <param name="node">The part that is to blame; null for all of it.</param>
    /// <param name="message">What is wrong.</param>
    public LintFinding Found(Manifest manifest, JsonNode? node, string message) =>
        new(this, manifest.PlaceOf(node), manifest.ToString(), message);
}
