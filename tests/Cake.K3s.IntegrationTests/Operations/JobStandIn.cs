using System.Text.Json.Nodes;
using Cake.K3s.IntegrationTests.Kubernetes.Backups;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Operations.Backups;

namespace Cake.K3s.IntegrationTests.Operations;

/// <summary>
/// Stands in for the controller and the pods of backups' Jobs: a Job that may run does what its script does, without a dump, and is complete.
/// </summary>
internal sealed class JobStandIn : IAsyncDisposable
{
    private static readonly GroupVersionKind Jobs = new("batch", "v1", "Job");
    private readonly CancellationTokenSource _ending = new();
    private readonly ClusterApi _api;
    private readonly StandInBucket _bucket;
    private readonly TimeProvider _time;
    private readonly Task _work;

    /// <summary>Begins to watch.</summary>
    public JobStandIn(ClusterApi api, StandInBucket bucket, TimeProvider time)
    {
        (_api, _bucket, _time) = (api, bucket, time);
        _work = RunAsync(_ending.Token);
    }

    /// <summary>What the database that is restored into holds: the name of a backup; null while it is empty.</summary>
    public string? Restored { get; set; }

    /// <summary>How often it was filled.</summary>
    public int Restores { get; set; }

    /// <summary>The backups that drills have restored.</summary>
    public List<string> Drilled { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _work;
        _ending.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in _api.WatchAsync(Jobs, "shop", null, cancellationToken))
            {
                if (change.Type is WatchEventType.Added or WatchEventType.Modified && change.Object.Flag("spec", "suspend") != true && !change.Object.IsTrue("Complete"))
                {
                    await RunAsync(change.Object!);
                }
            }
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The test is over, and its connection may break in any way.
        }
    }

    private async Task RunAsync(JsonObject job)
    {
        var pod = job.At("spec", "template", "spec");
        foreach (var volume in pod.Objects("volumes"))
        {
            var key = volume.Text("secret", "secretName") is { } secret ? new ObjectKey(new("", "v1", "Secret"), "shop", secret)
                : volume.Text("configMap", "name") is { } map ? new ObjectKey(new("", "v1", "ConfigMap"), "shop", map)
                : null;
            Assert.That(key is null || await _api.GetAsync(key, default) is not null, Is.True, $"a pod would wait for {key}");
        }

        var variables = pod.Objects("containers").Single().Objects("env").ToDictionary(variable => variable.Text("name")!, variable => variable.Text("value"));
        if (!variables.TryGetValue("RESTORE_NAME", out var name))
        {
            _bucket.Objects[new BackupName(variables["BACKUP_PREFIX"]!, _time.GetUtcNow()).ToString()] = [1];
        }
        else if (variables.ContainsKey("RESTORE_DRILL"))
        {
            Drilled.Add(name!);
        }
        else if (Restored is null)
        {
            (Restored, Restores) = (name, Restores + 1);
        }

        try
        {
            await _api.PatchAsync(
                ObjectKey.Of(job),
                PatchType.Merge,
                JsonNode.Parse("""{"status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}}""")!.AsObject(),
                default,
                new() { Subresource = "status" });
        }
        catch (KubernetesApiException gone) when (gone.IsNotFound)
        {
            // Somebody has deleted it meanwhile.
        }
    }
}
