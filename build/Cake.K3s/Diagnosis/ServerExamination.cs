using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Images.Registry;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Diagnosis;

/// <summary>Asks a cluster and a registry whether they answer, let this user do what a deploy does, and have the same time as this machine.</summary>
internal sealed class ServerExamination(ClusterConnector clusters, RegistryClients registries, TimeProvider time)
{
    // A Date header has whole seconds, and the answer took its time.
    private static readonly TimeSpan Unnoticed = TimeSpan.FromSeconds(5);

    // From about here on tokens and leases are taken for expired, or for not yet valid.
    private static readonly TimeSpan Harmful = TimeSpan.FromSeconds(60);

    // The oldest version that the manifests' own features (a sleep before a stop, ApplySets) have been in since their beta.
    private static readonly Version OldestCluster = new(1, 30);

    // What a deploy does, as the API's authorizer names it.
    private static readonly (string Verb, string Group, string Resource)[] Deeds =
    [
        ("patch", "apps", "deployments"), ("patch", "", "services"), ("patch", "", "secrets"), ("create", "coordination.k8s.io", "leases"),
        ("create", "batch", "jobs"), ("list", "", "pods"), ("get", "", "pods/log"), ("watch", "", "events"),
    ];

    /// <summary>Asks a cluster.</summary>
    public async Task<IReadOnlyList<Observation>> ClusterAsync(ClusterConnection connection, CancellationToken cancellationToken)
    {
        ClusterApi api;
        try
        {
            api = await clusters.OpenAsync(connection, cancellationToken);
        }
        catch (K3sException failure)
        {
            return [Observation.Wrong("cluster", failure)];
        }

        var told = JsonNode.Parse(await api.ReadTextAsync("version", cancellationToken));
        var denied = await DeniedAsync(api, connection.Namespace, cancellationToken);
        return
        [
            Version(told?["gitVersion"]?.GetValue<string>() ?? "", api.Server),
            denied.Count == 0
                ? Observation.Good("access", $"this user may deploy into namespace {connection.Namespace}")
                : Observation.Wrong("access", $"this user may not, in namespace {connection.Namespace}: {string.Join(", ", denied)}", "Give the user of the kubeconfig a Role with these verbs, or use another context."),
            Clock("clock of the cluster", api.ServerTime, time.GetUtcNow()),
        ];
    }

    /// <summary>Asks a registry.</summary>
    public async Task<IReadOnlyList<Observation>> RegistryAsync(RegistryConnection connection, DeploySettings settings, CancellationToken cancellationToken)
    {
        var image = settings.Images.Keys.Order(StringComparer.Ordinal).FirstOrDefault(settings.App);
        var repository = connection.RepositoryOf(image)[(connection.Host.Length + 1)..];
        using var registry = registries.Open(connection);
        try
        {
            await registry.CheckPushAsync(repository, cancellationToken);
        }
        catch (K3sException failure)
        {
            return [Observation.Wrong("registry", failure.Summary, failure.NextStep ?? $"docker login {connection.Host}, with a user or token that may write packages.")];
        }

        return [Observation.Good("registry", $"{connection.Host} takes {repository}"), Clock("clock of the registry", registry.ServerTime, time.GetUtcNow())];
    }

    /// <summary>What a cluster's version says.</summary>
    internal static Observation Version(string gitVersion, Uri server)
    {
        var text = $"{gitVersion} at {server.GetLeftPart(UriPartial.Authority)}";
        return System.Version.TryParse(gitVersion.TrimStart('v').Split('+', '-')[0], out var version) && version < OldestCluster
            ? Observation.Warning("cluster", text, $"Kubernetes {OldestCluster} is the oldest that this is tested for: upgrade the cluster.")
            : Observation.Good("cluster", text);
    }

    /// <summary>What a server's time says.</summary>
    internal static Observation Clock(string subject, DateTimeOffset? server, DateTimeOffset here)
    {
        if (server is not { } there)
        {
            return Observation.Good(subject, "it does not tell its time");
        }

        var ahead = there - here;
        var text = string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(ahead.TotalSeconds):0} s {(ahead < TimeSpan.Zero ? "behind" : "ahead of")} this machine");
        const string Mend = "Synchronise the clock that is wrong: timedatectl set-ntp true.";
        return ahead.Duration() switch
        {
            var skew when skew <= Unnoticed => Observation.Good(subject, "the same as this machine's"),
            var skew when skew < Harmful => Observation.Warning(subject, text, Mend),
            _ => Observation.Wrong(subject, text + "; tokens, certificates and leases go by it", Mend),
        };
    }

    private static async Task<List<string>> DeniedAsync(ClusterApi api, string namespaceName, CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(Deeds.Select(async deed => (Deed: deed, IsAllowed: await MayAsync(api, namespaceName, deed, cancellationToken))));
        return [.. answers.Where(answer => !answer.IsAllowed).Select(answer => $"{answer.Deed.Verb} {answer.Deed.Resource}")];
    }

    private static async Task<bool> MayAsync(ClusterApi api, string namespaceName, (string Verb, string Group, string Resource) deed, CancellationToken cancellationToken)
    {
        var parts = deed.Resource.Split('/');
        var review = await api.CreateAsync(
            new JsonObject
            {
                ["apiVersion"] = "authorization.k8s.io/v1",
                ["kind"] = "SelfSubjectAccessReview",
                ["metadata"] = new JsonObject(),
                ["spec"] = new JsonObject
                {
                    ["resourceAttributes"] = new JsonObject
                    {
                        ["namespace"] = namespaceName,
                        ["verb"] = deed.Verb,
                        ["group"] = deed.Group,
                        ["resource"] = parts[0],
                        ["subresource"] = parts.Length > 1 ? parts[1] : "",
                    },
                },
            },
            cancellationToken);
        return review["status"]?["allowed"]?.GetValue<bool>() == true;
    }
}
