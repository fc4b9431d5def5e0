using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Leaves out what an object's annotation suppresses: <c>cake-k3s/lint-ignore: "K3S013, token-mounted -- it reads the node's logs"</c>.</summary>
internal static class LintSuppression
{
    public const string Annotation = "cake-k3s/lint-ignore";

    /// <summary>The findings that are left.</summary>
    public static IEnumerable<LintFinding> Apply(IEnumerable<LintFinding> findings, IEnumerable<Manifest> manifests)
    {
        var suppressed = manifests
            .SelectMany(manifest => Rules(manifest).Select(rule => (manifest.Place.File, Subject: manifest.ToString(), rule)))
            .ToHashSet();
        return findings.Where(finding =>
            !suppressed.Contains((finding.Place.File, finding.Subject, finding.Rule.Id))
            && !suppressed.Contains((finding.Place.File, finding.Subject, finding.Rule.Name)));
    }

    // A reason may follow two dashes.
    private static string[] Rules(Manifest manifest) =>
        (manifest.Node.Annotation(Annotation) ?? "").Split("--")[0].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
