using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Makes the roles that every cluster has and that people bind: cluster-admin, admin, edit, view, and what everybody may.</summary>
internal sealed class BootstrapRoles(ObjectStore store, ResourceCatalog catalog, ObjectWriter writer) : IHostedService
{
    private static readonly GroupVersion Rbac = new("rbac.authorization.k8s.io", "v1");
    private static readonly string[] Reading = ["get", "list", "watch"];
    private static readonly string[] Writing = ["create", "delete", "deletecollection", "patch", "update"];

    private static readonly (string Group, string[] Resources)[] Objects =
    [
        ("", ["configmaps", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods", "pods/status", "replicationcontrollers", "replicationcontrollers/scale",
            "replicationcontrollers/status", "serviceaccounts", "services", "services/status"]),
        ("apps", ["daemonsets", "daemonsets/status", "deployments", "deployments/scale", "deployments/status", "replicasets", "replicasets/scale",
            "replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status"]),
        ("autoscaling", ["horizontalpodautoscalers", "horizontalpodautoscalers/status"]),
        ("batch", ["cronjobs", "cronjobs/status", "jobs", "jobs/status"]),
        ("networking.k8s.io", ["ingresses", "ingresses/status", "networkpolicies"]),
        ("policy", ["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    ];

    private static readonly JsonObject[] View =
    [
        .. Objects.Select(group => Rule(group.Group, group.Resources, Reading)),
        Rule("", ["bindings", "endpoints", "events", "limitranges", "namespaces", "namespaces/status", "pods/log", "resourcequotas", "resourcequotas/status"], Reading),
        Rule("apps", ["controllerrevisions"], Reading),
        Rule("discovery.k8s.io", ["endpointslices"], Reading),
    ];

    private static readonly JsonObject[] Edit =
    [
        .. View,
        .. Objects.Select(group => Rule(group.Group, [.. group.Resources.Where(resource => !resource.EndsWith("/status", StringComparison.Ordinal))], Writing)),
        Rule("", ["secrets"], [.. Reading, .. Writing]),
        Rule("", ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"], [.. Reading, .. Writing]),
        Rule("", ["pods/eviction", "serviceaccounts/token"], ["create"]),
        Rule("", ["events"], Writing),
        Rule("", ["serviceaccounts"], ["impersonate"]),
        Rule("coordination.k8s.io", ["leases"], [.. Reading, .. Writing]),
    ];

    private static readonly JsonObject[] Admin =
    [
        .. Edit,
        Rule("rbac.authorization.k8s.io", ["roles", "rolebindings"], [.. Reading, .. Writing]),
        Rule("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
    ];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Role("cluster-admin", [Rule("*", ["*"], ["*"]), Paths(["*"], "*")]);
        Role("admin", Admin);
        Role("edit", Edit);
        Role("view", View);
        Role("system:discovery", [Paths(["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"], "get")]);
        Role("system:basic-user",
        [
            Rule("authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
            Rule("authentication.k8s.io", ["selfsubjectreviews"], ["create"]),
        ]);
        Bind("cluster-admin", "system:masters");
        Bind("system:discovery", "system:authenticated");
        Bind("system:basic-user", "system:authenticated");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Role(string name, JsonObject[] rules)
    {
        var role = new JsonObject { ["metadata"] = Metadata(name), ["rules"] = new JsonArray([.. rules.Select(rule => rule.DeepClone())]) };
        if (name is "admin" or "edit" or "view")
        {
            role["aggregationRule"] = new JsonObject
            {
                ["clusterRoleSelectors"] = new JsonArray(new JsonObject { ["matchLabels"] = new JsonObject { [$"rbac.authorization.k8s.io/aggregate-to-{name}"] = "true" } }),
            };
        }

        Make("clusterroles", name, role);
    }

    private void Bind(string role, string toGroup) => Make("clusterrolebindings", role, new JsonObject
    {
        ["metadata"] = Metadata(role),
        ["roleRef"] = new JsonObject { ["apiGroup"] = Rbac.Group, ["kind"] = "ClusterRole", ["name"] = role },
        ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = Rbac.Group, ["kind"] = "Group", ["name"] = toGroup }),
    });

    private void Make(string plural, string name, JsonObject value)
    {
        if (store.Find(new ObjectKey($"{plural}.{Rbac.Group}", "", name)) is null)
        {
            writer.Create(catalog.Current.Find(Rbac, plural)!, "", value, new WriteOptions { Manager = "kube-apiserver" });
        }
    }

    private static JsonObject Metadata(string name) => new()
    {
        ["name"] = name,
        ["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" },
        ["annotations"] = new JsonObject { ["rbac.authorization.kubernetes.io/autoupdate"] = "true" },
    };

    private static JsonObject Rule(string group, string[] resources, string[] verbs)
        => new() { ["apiGroups"] = new JsonArray(group), ["resources"] = List(resources), ["verbs"] = List(verbs) };

    private static JsonObject Paths(string[] urls, string verb) => new() { ["nonResourceURLs"] = List(urls), ["verbs"] = new JsonArray(verb) };

    private static JsonArray List(string[] texts) => [.. texts.Select(text => (JsonNode)text)];
}
