using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>
/// The migration of one release, made from its manifest. Pure. The Job's name ends in a hash of all that it does, so the same
/// migration is found again and not run twice. It runs before anything of the release is applied; therefore it has copies of the
/// ConfigMaps and Secrets that it reads, which it owns, and the serving pods keep theirs.
/// </summary>
/// <param name="Job">The Job, suspended: it is started when its copies are there.</param>
/// <param name="Copies">The copies, without their owner.</param>
/// <param name="Accounts">The ServiceAccount that it runs as, if the release brings it; made where it is missing.</param>
internal sealed record MigrationJob(JsonObject Job, ImmutableArray<JsonObject> Copies, ImmutableArray<JsonObject> Accounts)
{
    /// <summary>Labels the Jobs, their pods and their copies with the app.</summary>
    public const string MigrationLabel = "cake.k3s/migration";

    /// <summary>Labels pods with the name of their Job.</summary>
    public const string JobLabel = "cake.k3s/migration-job";

    /// <summary>On a manifest: the version that it leaves the schema at. On the Job of a release: the version that it left.</summary>
    public const string SchemaVersionAnnotation = "cake.k3s/schema-version";

    private const int HashLength = 10;
    private const int LongestName = 63;

    public ObjectKey Key => ObjectKey.Of(Job);

    /// <summary>Prepares the migration of a release.</summary>
    /// <param name="manifests">The release's manifests, with digests and values in them.</param>
    /// <param name="app">The app.</param>
    /// <param name="namespaceName">Its namespace.</param>
    /// <returns>The migration; null if the app has none.</returns>
    public static MigrationJob? Of(ManifestSet manifests, string app, string namespaceName)
    {
        if (manifests.Migration is null)
        {
            return null;
        }

        var job = manifests.Migration.Node.DeepClone().AsObject();
        var spec = job.Child("spec");
        var template = spec.Child("template");
        var references = References(template.At("spec")).ToList();
        var sources = references
            .Select(reference => (reference.Kind, reference.Name))
            .Distinct()
            .Select(wanted => Find(manifests, wanted.Kind, wanted.Name, namespaceName))
            .OfType<JsonObject>()
            .ToList();
        var hash = CanonicalJson.Hash(new JsonArray([.. sources.Prepend(job).Select(node => node.DeepClone())]))[..HashLength];

        var name = Suffixed(job.ObjectName() ?? app, hash);
        foreach (var (kind, original, node, member) in references.Where(reference => sources.Any(source => Is(source, reference.Kind, reference.Name))))
        {
            node[member] = Suffixed(original, hash);
        }

        var metadata = job.Child("metadata");
        metadata["name"] = name;
        metadata["namespace"] = job.NamespaceName() ?? namespaceName;
        metadata.Child("labels")[MigrationLabel] = app;
        template.Child("metadata").Child("labels")[MigrationLabel] = app;
        template.Child("metadata").Child("labels")[JobLabel] = name;
        spec["suspend"] = true;
        return new(
            job,
            [.. sources.Select(source => Copy(source, Suffixed(source.ObjectName()!, hash), app, job.NamespaceName()!))],
            template.Text("spec", "serviceAccountName") is { } account && Find(manifests, "ServiceAccount", account, namespaceName) is { } found
                ? [found]
                : []);
    }

    private static IEnumerable<Reference> References(JsonNode? podSpec)
    {
        foreach (var container in PodSpecs.Containers(podSpec))
        {
            foreach (var from in container.Objects("envFrom").Concat(container.Objects("env").Select(env => env.At("valueFrom")).OfType<JsonObject>()))
            {
                foreach (var reference in Of(from, ("secretRef", "Secret"), ("configMapRef", "ConfigMap"), ("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")))
                {
                    yield return reference;
                }
            }
        }

        foreach (var volume in podSpec.Objects("volumes"))
        {
            if (volume.Text("secret", "secretName") is { } secret)
            {
                yield return new("Secret", secret, volume.At("secret")!.AsObject(), "secretName");
            }

            foreach (var reference in volume.Objects("projected", "sources").Append(volume).SelectMany(source => Of(source, ("secret", "Secret"), ("configMap", "ConfigMap"))))
            {
                yield return reference;
            }
        }

        foreach (var pull in podSpec.Objects("imagePullSecrets"))
        {
            if (pull.Text("name") is { } name)
            {
                yield return new("Secret", name, pull, "name");
            }
        }

        static IEnumerable<Reference> Of(JsonObject parent, params (string Member, string Kind)[] members) =>
            from member in members
            let node = parent[member.Member] as JsonObject
            let name = node.Text("name")
            where name is not null
            select new Reference(member.Kind, name, node, "name");
    }

    private static JsonObject? Find(ManifestSet manifests, string kind, string name, string namespaceName) =>
        manifests.Objects.FirstOrDefault(manifest => Is(manifest.Node, kind, name) && (manifest.Key.Namespace ?? namespaceName) == namespaceName)?.Node;

    private static bool Is(JsonObject node, string kind, string name) =>
        node.Text("kind") == kind && node.Text("apiVersion") == "v1" && node.ObjectName() == name;

    private static JsonObject Copy(JsonObject source, string name, string app, string namespaceName)
    {
        var copy = source.DeepClone().AsObject();
        copy["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = namespaceName,
            ["labels"] = new JsonObject { [MigrationLabel] = app },
        };
        return copy;
    }

    private static string Suffixed(string name, string hash) =>
        $"{(name.Length > LongestName - HashLength - 1 ? name[..(LongestName - HashLength - 1)].TrimEnd('-', '.') : name)}-{hash}";

    private sealed record Reference(string Kind, string Name, JsonObject Node, string Member);
}
