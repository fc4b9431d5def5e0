using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Contingency;

/// <summary>
/// Points the app at another database, in minutes and without a build: the Secrets that hold the old address get the new one, and the
/// workloads that read them start anew. Every step is skipped where it is done already, so the same target finishes one that was cut off.
/// </summary>
public sealed class DatabaseSwitch
{
    private const string Source = "switch";
    private const string Annotation = "cake.k3s/database";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly GroupVersionKind SecretType = new("", "v1", "Secret");
    private static readonly ImmutableArray<GroupVersionKind> Workloads = [new("apps", "v1", "Deployment"), new("apps", "v1", "StatefulSet"), new("apps", "v1", "DaemonSet")];
    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly RunLock _lock;
    private readonly RolloutWatcher _watcher;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal DatabaseSwitch(PipelineRun run, ClusterConnector connector, RunLock runLock, RolloutWatcher watcher, IReporter reporter, TimeProvider time)
    {
        _run = run;
        _connector = connector;
        _lock = runLock;
        _watcher = watcher;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Switches from the database of <c>backup.database</c> to that of the secret that <c>--into</c> names, and waits until all workloads are ready with it.</summary>
    /// <exception cref="K3sException">No such secret (exit code 2), another run holds the deploy lock (4), nothing in the cluster holds the old address, or a workload does not come up with the new one.</exception>
    public async Task SwitchAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var oldName = _run.EnvironmentSettings.Backup?.Database ?? "DATABASE_URL";
        var newName = _run.Options.Into ?? throw new K3sException(
            ExitCodes.BadInput, "SwitchDatabase needs to know where to: no --into=SECRET was given", $"Name the secret of environment {environment.Name} that has the URL of the other database.");
        var former = environment.SecretNamed(oldName);
        var wanted = environment.SecretNamed(newName);
        var api = await _connector.OpenAsync(environment.Cluster, _run.Cancellation);
        try
        {
            // A deploy in the middle of it would bring the old address back.
            await _lock.HoldAsync(api, cancellation => SwitchAsync(api, former, wanted, cancellation));
        }
        finally
        {
            await _lock.GiveBackAsync();
        }

        _reporter.Warning(Source, $"the next deploy brings {oldName} back as deploy.yaml has it: let {oldName} be the new address there");
    }

    /// <summary>Switches in one cluster.</summary>
    internal async Task SwitchAsync(ClusterApi api, Secret former, Secret wanted, CancellationToken cancellationToken)
    {
        var secrets = (await api.ListAsync(SecretType, api.Namespace, null, cancellationToken)).Items;
        var switched = new HashSet<string>(StringComparer.Ordinal);
        foreach (var secret in secrets.Where(secret => secret.Text("type") is null or "Opaque"))
        {
            var keys = Keys(secret, former);
            if (keys.Count > 0)
            {
                await api.PatchAsync(
                    ObjectKey.Of(secret),
                    PatchType.Merge,
                    new JsonObject
                    {
                        ["metadata"] = new JsonObject { ["resourceVersion"] = secret.ResourceVersion() },
                        ["data"] = new JsonObject(keys.Select(key => KeyValuePair.Create(key, (JsonNode?)Encode(wanted)))),
                    },
                    cancellationToken);
                _reporter.Step(Source, $"Secret {secret.ObjectName()}: {string.Join(", ", keys)} is the new address");
            }

            if (keys.Count > 0 || Keys(secret, wanted).Count > 0)
            {
                switched.Add(secret.ObjectName()!);
            }
        }

        if (switched.Count == 0)
        {
            throw new K3sException(
                ExitCodes.Failed, $"no Secret of namespace {api.Namespace} holds the address of the old database, nor that of the new one", "Deploy with the new address instead: docs/contingency.md.");
        }

        await RestartAsync(api, switched, Mark(wanted), cancellationToken);
    }

    private async Task RestartAsync(ClusterApi api, HashSet<string> secrets, string mark, CancellationToken cancellationToken)
    {
        var restarted = new List<ObjectKey>();
        foreach (var type in Workloads)
        {
            foreach (var workload in (await api.ListAsync(type, api.Namespace, null, cancellationToken)).Items.Where(workload => Reads(workload["spec"]?["template"], secrets)))
            {
                restarted.Add(ObjectKey.Of(workload));
                if (workload.Text("spec", "template", "metadata", "annotations", Annotation) == mark)
                {
                    continue;
                }

                var patch = new JsonObject { ["spec"] = new JsonObject { ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotation] = mark } } } } };
                await api.PatchAsync(restarted[^1], PatchType.Merge, patch, cancellationToken);
                _reporter.Step(Source, $"{restarted[^1]} starts anew");
            }
        }

        var outcome = await _watcher.WatchAsync(api, restarted, new RolloutTerms(_time.GetUtcNow(), Limit), cancellationToken);
        if (!outcome.Succeeded)
        {
            throw new K3sException(
                ExitCodes.Failed, $"not all is ready with the new database: {outcome.Failures[0]}", "See its logs; the same target again goes on, and with the old secret as --into it goes back.");
        }

        _reporter.Step(Source, $"{restarted.Count} workloads are ready with the new database");
    }

    /// <summary>Whether pods of a template read one of the Secrets.</summary>
    internal static bool Reads(JsonNode? template, IReadOnlySet<string> secrets)
    {
        switch (template)
        {
            case JsonObject node:
                var names = new[] { node.Text("secretRef", "name"), node.Text("secretKeyRef", "name"), node.Text("secret", "secretName"), node.Text("secret", "name") };
                return names.OfType<string>().Any(secrets.Contains) || node.Any(member => Reads(member.Value, secrets));
            case JsonArray list:
                return list.Any(item => Reads(item, secrets));
            default:
                return false;
        }
    }

    private static List<string> Keys(JsonObject secret, Secret value) => [.. secret.Texts("data").Where(member => member.Value == Encode(value)).Select(member => member.Key)];

    private static string Encode(Secret value) => Convert.ToBase64String(Encoding.UTF8.GetBytes(value.Reveal()));

    // Names the address without telling it.
    private static string Mark(Secret value) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(value.Reveal())))[..16];
}
