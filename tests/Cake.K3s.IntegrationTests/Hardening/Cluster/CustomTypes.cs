using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Settings;
using k8s;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The types of others' controllers that this library writes objects of, closed: a field that is not theirs is refused.</summary>
internal static class CustomTypes
{
    private const string Folder = "tests/Cake.K3s.IntegrationTests/Hardening/Cluster/Schemas";

    /// <summary>Defines the types of a group; of all groups where none is named.</summary>
    public static async Task DefineAsync(ClusterApi api, string? group = null)
    {
        var definitions = (await LoadAsync(group is null ? Folder : $"{Folder}/{group}.yaml")).ToList();
        if (group is null)
        {
            definitions.Add(Middleware());
        }

        await DefineAsync(api, definitions);
    }

    /// <summary>Defines Traefik's middlewares.</summary>
    public static Task DefineMiddlewareAsync(ClusterApi api) => DefineAsync(api, [Middleware()]);

    private static JsonObject Middleware()
    {
        var middleware = JsonNode.Parse(KubernetesJson.Serialize(K3s.Sandbox.Network.Ingress.TraefikMiddleware.Definition))!.AsObject();
        middleware["apiVersion"] = "apiextensions.k8s.io/v1";
        middleware["kind"] = "CustomResourceDefinition";
        return middleware;
    }

    /// <summary>Defines types, and waits until they are served.</summary>
    public static async Task DefineAsync(ClusterApi api, IReadOnlyList<JsonObject> definitions)
    {
        foreach (var definition in definitions)
        {
            await api.ApplyAsync(definition, default);
        }

        // They are accepted before they are served.
        var unserved = definitions.Select(definition => definition.ObjectName()).ToHashSet();
        await foreach (var change in api.WatchAsync(ObjectKey.Of(definitions[0]).Type, null, null, default))
        {
            if (change.Object.IsTrue("Established"))
            {
                unserved.Remove(change.Object!.ObjectName());
            }

            if (unserved.Count == 0)
            {
                return;
            }
        }
    }

    /// <summary>The objects of a file or folder of this repository; each secret of <paramref name="secrets"/> has some value.</summary>
    public static async Task<IReadOnlyList<JsonObject>> LoadAsync(string path, params string[] secrets)
    {
        var inputs = new ManifestInputs
        {
            Root = TestSandbox.RepositoryRoot,
            SettingsFile = "deploy.yaml",
            Paths = [path],
            Namespace = "shop",
            Variables = ImmutableDictionary<string, string>.Empty.Add("K3S_VERSION", "v1.34.1+k3s1").Add("PROMETHEUS_URL", "http://prometheus"),
            Secrets = secrets.ToImmutableDictionary(name => name, name => (Secret?)new Secret("https://example.com/" + name)),
            Images = ImmutableDictionary<string, string?>.Empty,
        };
        return [.. (await ControlStage.Loader.LoadAsync(inputs, default)).Objects.Select(manifest => manifest.Node)];
    }
}
