using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Hardening.Cluster.SignedImages;

/// <summary>
/// A ValidatingAdmissionPolicy, which every Kubernetes from 1.30 on evaluates itself: images of one namespace are pinned by digest
/// and come from named registries. Pure functions.
/// </summary>
internal static class PinnedImagesPolicy
{
    private static readonly string[] Templated = ["deployments", "statefulsets", "daemonsets"];

    /// <summary>The policy's name, and its binding's.</summary>
    public static string NameOf(string app) => app + "-pinned-images";

    /// <summary>The policy and its binding.</summary>
    /// <param name="app">The app's name.</param>
    /// <param name="ns">The namespace that it is about.</param>
    /// <param name="registries">Where images may come from: what they begin with, a slash at the end; or one repository, with an @.</param>
    public static IReadOnlyList<JsonObject> Objects(string app, string ns, IEnumerable<string> registries)
    {
        // An object that is there already may be changed, and so may finish, as long as no such image is added to it.
        var added = $"{ImagesOf("object")}.filter(i, oldObject == null || !(i in {ImagesOf("oldObject")}))";
        var policy = Node("ValidatingAdmissionPolicy", app);
        policy["spec"] = new JsonObject
        {
            ["failurePolicy"] = "Fail",
            ["matchConstraints"] = new JsonObject
            {
                ["resourceRules"] = new JsonArray(
                    Rule("", ["pods"], "CREATE", "UPDATE"),
                    Rule("", ["pods/ephemeralcontainers"], "UPDATE"),
                    Rule("apps", Templated, "CREATE", "UPDATE"),
                    Rule("batch", ["jobs", "cronjobs"], "CREATE", "UPDATE")),
            },
            ["variables"] = new JsonArray(
                Variable("added", added),
                Variable("registries", JsonSerializer.Serialize(registries)),
                Variable("unpinned", "variables.added.filter(i, !i.matches('@sha256:[a-f0-9]{64}$'))"),
                Variable("foreign", "variables.added.filter(i, !variables.registries.exists(r, i.startsWith(r)))")),
            ["validations"] = new JsonArray(
                Validation("unpinned", "'images must be pinned by digest: '"),
                Validation("foreign", "'images must come from ' + variables.registries.join(' or ') + ': '")),
        };
        var binding = Node("ValidatingAdmissionPolicyBinding", app);
        binding["spec"] = new JsonObject
        {
            ["policyName"] = NameOf(app),
            ["validationActions"] = new JsonArray("Deny"),
            ["matchResources"] = new JsonObject
            {
                ["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = ns } },
            },
        };
        return [policy, binding];
    }

    // Of a pod, or of what pods are made from.
    private static string ImagesOf(string root)
    {
        var spec = $"({root}.kind == 'Pod' ? {root}.spec : {root}.kind == 'CronJob' ? {root}.spec.jobTemplate.spec.template.spec : {root}.spec.template.spec)";
        string Of(string list) => $"(has({spec}.{list}) ? {spec}.{list}.map(c, c.image) : [])";
        return $"({Of("initContainers")} + {Of("containers")} + {Of("ephemeralContainers")})";
    }

    private static JsonObject Node(string kind, string app) => new()
    {
        ["apiVersion"] = "admissionregistration.k8s.io/v1",
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = NameOf(app) },
    };

    private static JsonObject Rule(string group, IEnumerable<string> resources, params string[] operations) => new()
    {
        ["apiGroups"] = new JsonArray(group),
        ["apiVersions"] = new JsonArray("v1"),
        ["operations"] = new JsonArray([.. operations.Select(operation => (JsonNode)operation)]),
        ["resources"] = new JsonArray([.. resources.Select(resource => (JsonNode)resource)]),
    };

    private static JsonObject Variable(string name, string expression) => new() { ["name"] = name, ["expression"] = expression };

    private static JsonObject Validation(string variable, string message) => new()
    {
        ["expression"] = $"variables.{variable}.size() == 0",
        ["messageExpression"] = $"{message} + variables.{variable}.join(', ')",
        ["reason"] = "Invalid",
    };
}
