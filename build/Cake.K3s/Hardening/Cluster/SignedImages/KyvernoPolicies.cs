using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.SignedImages;

/// <summary>
/// Kyverno's policies for signatures by the app's key, without the public transparency log. Pure functions. The fields are those of
/// Kyverno's documentation for 1.17 (ImageValidatingPolicy) and 1.13 (ClusterPolicy, which 1.17 gives up).
/// </summary>
internal static class KyvernoPolicies
{
    // Demanded by Kyverno before 1.17 even where it is not asked.
    private const string Log = "https://rekor.sigstore.dev";

    /// <summary>The kinds of policy, the better first.</summary>
    public static readonly GroupVersionKind[] Kinds =
    [
        new("policies.kyverno.io", "v1", "ImageValidatingPolicy"),
        new("policies.kyverno.io", "v1beta1", "ImageValidatingPolicy"),
        new("policies.kyverno.io", "v1alpha1", "ImageValidatingPolicy"),
        new("kyverno.io", "v1", "ClusterPolicy"),
    ];

    /// <summary>The policy's name.</summary>
    public static string NameOf(string app) => app + "-signed-images";

    /// <summary>The policy.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="app">The app's name.</param>
    /// <param name="ns">The namespace that it is about.</param>
    /// <param name="repositories">What the app's images begin with, a slash at the end.</param>
    /// <param name="publicKeys">The accepted keys, in PEM form.</param>
    /// <param name="action">Audit or Deny.</param>
    public static JsonObject Policy(GroupVersionKind kind, string app, string ns, string repositories, IReadOnlyList<string> publicKeys, KyvernoAction action)
    {
        var policy = new JsonObject
        {
            ["apiVersion"] = kind.ApiVersion,
            ["kind"] = kind.Kind,
            ["metadata"] = new JsonObject { ["name"] = NameOf(app) },
        };
        policy["spec"] = kind.Kind == "ClusterPolicy" ? OfClusterPolicy(ns, repositories, publicKeys, action) : OfImageValidatingPolicy(ns, repositories, publicKeys, action);
        return policy;
    }

    private static JsonObject OfImageValidatingPolicy(string ns, string repositories, IReadOnlyList<string> publicKeys, KyvernoAction action)
    {
        var attestors = publicKeys.Select((key, i) => (JsonNode)new JsonObject
        {
            ["name"] = $"key{i}",
            ["cosign"] = new JsonObject
            {
                ["key"] = new JsonObject { ["data"] = key },
                ["ctlog"] = new JsonObject { ["url"] = Log, ["insecureIgnoreTlog"] = true, ["insecureIgnoreSCT"] = true },
            },
        });
        var names = string.Join(", ", publicKeys.Select((_, i) => $"attestors.key{i}"));
        return new()
        {
            ["validationActions"] = new JsonArray(action == KyvernoAction.Deny ? "Deny" : "Audit"),
            ["failurePolicy"] = action == KyvernoAction.Deny ? "Fail" : "Ignore",
            ["webhookConfiguration"] = new JsonObject { ["timeoutSeconds"] = 15 },
            ["matchConstraints"] = new JsonObject
            {
                ["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = ns } },
                ["resourceRules"] = new JsonArray(new JsonObject
                {
                    ["apiGroups"] = new JsonArray(""),
                    ["apiVersions"] = new JsonArray("v1"),
                    ["operations"] = new JsonArray("CREATE", "UPDATE"),
                    ["resources"] = new JsonArray("pods"),
                }),
            },
            ["matchImageReferences"] = new JsonArray(new JsonObject { ["glob"] = repositories + "*" }),
            ["attestors"] = new JsonArray([.. attestors]),
            ["validations"] = new JsonArray(
                Validation("containers", names),
                Validation("initContainers", names),
                Validation("ephemeralContainers", names)),
        };
    }

    private static JsonObject Validation(string containers, string attestors) => new()
    {
        ["expression"] = $"images.{containers}.map(image, verifyImageSignatures(image, [{attestors}])).all(count, count > 0)",
        ["message"] = "the image is not signed by the app's key",
    };

    private static JsonObject OfClusterPolicy(string ns, string repositories, IReadOnlyList<string> publicKeys, KyvernoAction action)
    {
        var entries = publicKeys.Select(key => (JsonNode)new JsonObject
        {
            ["keys"] = new JsonObject
            {
                ["publicKeys"] = key,
                ["rekor"] = new JsonObject { ["url"] = Log, ["ignoreTlog"] = true },
                ["ctlog"] = new JsonObject { ["ignoreSCT"] = true },
            },
        });
        return new()
        {
            ["background"] = false,
            ["failurePolicy"] = action == KyvernoAction.Deny ? "Fail" : "Ignore",
            ["webhookTimeoutSeconds"] = 15,
            ["validationFailureAction"] = action == KyvernoAction.Deny ? "Enforce" : "Audit",
            ["rules"] = new JsonArray(new JsonObject
            {
                ["name"] = "signed-by-the-apps-key",
                ["match"] = new JsonObject
                {
                    ["any"] = new JsonArray(new JsonObject
                    {
                        ["resources"] = new JsonObject { ["kinds"] = new JsonArray("Pod"), ["namespaces"] = new JsonArray(ns) },
                    }),
                },
                ["verifyImages"] = new JsonArray(new JsonObject
                {
                    ["imageReferences"] = new JsonArray(repositories + "*"),
                    ["mutateDigest"] = false,
                    ["verifyDigest"] = true,
                    ["required"] = true,
                    ["attestors"] = new JsonArray(new JsonObject { ["count"] = 1, ["entries"] = new JsonArray([.. entries]) }),
                }),
            }),
        };
    }
}
