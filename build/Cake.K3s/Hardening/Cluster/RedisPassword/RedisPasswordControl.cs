using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.RedisPassword;

/// <summary>
/// Redis answers to whoever knows the password, and no client notices the change: the Secret first, then the clients with user and
/// password (Redis takes the pair of user <c>default</c> also while it asks for none), the password in the running Redis last.
/// Redis is not restarted: it must include the Secret's <c>redis.conf</c> when it starts next.
/// </summary>
[ProvedBy("Redis 7 in the sandbox, with a client at work", null)]
internal sealed class RedisPasswordControl(ControlCluster cluster, RedisCli redis, RolloutWatcher rollouts, ISecretMask mask, TimeProvider time) : IControl
{
    private const string ControlName = "RedisPassword";
    private const string PasswordKey = "password";
    private const string ConfigurationKey = "redis.conf";
    private static readonly GroupVersionKind DeploymentType = new("apps", "v1", "Deployment");
    private static readonly GroupVersionKind SecretType = new("", "v1", "Secret");

    /// <inheritdoc/>
    public string Name => ControlName;

    /// <inheritdoc/>
    public string Protects => "Who gets into the cluster's network cannot read or write the queue and the cache.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    private RedisPasswordSettings? Settings => cluster.Hardening.RedisPassword;

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var (desired, _) = await DesiredAsync(cancellationToken);
        var findings = await objects.AuditAsync(desired, cancellationToken);
        var isPersistent = IncludesSecret(await DeploymentAsync(cancellationToken));
        return findings.AddRange(await VerifyAsync(cancellationToken)).Add(new(
            Name,
            Target(Settings.Deployment),
            isPersistent ? ControlState.InPlace : ControlState.Drifted,
            isPersistent ? "a restarted Redis asks for the password too" : NotPersistent.Summary,
            []));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [];
        }

        var changes = await (await cluster.ObjectsAsync(Name, cancellationToken)).PlanAsync((await DesiredAsync(cancellationToken)).Objects, cancellationToken);
        var open = await OpenPodsAsync(cancellationToken);
        return changes.AddRange(open.Select(pod => new PlannedChange(Target(pod.ObjectName()!), "ask for the password, without a restart")));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [];
        }

        if (!IncludesSecret(await DeploymentAsync(cancellationToken)))
        {
            throw NotPersistent;
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var (desired, password) = await DesiredAsync(cancellationToken);
        var live = await (await cluster.OpenAsync(cancellationToken)).GetAsync(ObjectKey.Of(desired[0]), cancellationToken);
        var changes = ImmutableArray<PlannedChange>.Empty;
        if (live.Text("data", ConfigurationKey) is null)
        {
            // Without what Redis itself reads: one that restarts now must not ask clients that do not know it yet.
            changes = await objects.ApplyStageAsync([SecretNode(password, withConfiguration: false)], cancellationToken);
        }

        var since = time.GetUtcNow();
        var clients = await objects.ApplyStageAsync([.. desired.Skip(1)], cancellationToken);
        changes = changes.AddRange(clients);
        if (!clients.IsEmpty || await objects.JournalAsync(cancellationToken) is { IsComplete: false })
        {
            await AwaitClientsAsync(since, cancellationToken);
        }

        changes = changes.AddRange(await objects.ApplyStageAsync([desired[0]], cancellationToken));
        foreach (var pod in await OpenPodsAsync(cancellationToken))
        {
            var quoted = RedisCli.Quote(password);
            await SendAsync(pod, [$"CONFIG SET masterauth {quoted}", $"CONFIG SET requirepass {quoted}"], cancellationToken);
            changes = changes.Add(new(Target(pod.ObjectName()!), "asks for the password, without a restart"));
        }

        return changes.AddRange(await objects.FinishAsync(desired, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var password = await PasswordAsync(cancellationToken);
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var pod in await PodsAsync(cancellationToken))
        {
            var answers = await SendAsync(pod, ["PING"], cancellationToken);
            var refused = answers.Any(answer => answer.StartsWith("NOAUTH", StringComparison.Ordinal));
            var accepted = refused && password is not null
                && (await SendAsync(pod, [$"AUTH default {RedisCli.Quote(password)}", "PING"], cancellationToken)).Contains("PONG");
            var (state, summary) = (refused, accepted) switch
            {
                (true, true) => (ControlState.InPlace, "PING without a password is refused with NOAUTH, and with the password it is answered"),
                (true, false) => (ControlState.Drifted, $"it refuses the password of Secret/{Settings.Secret}"),
                _ => (ControlState.Missing, "PING without a password is answered"),
            };
            findings.Add(new(Name, Target(pod.ObjectName()!), state, summary, answers));
        }

        return findings.Count > 0
            ? findings.ToImmutable()
            : [new(Name, Target(Settings.Deployment), ControlState.Unknown, $"no pod of Deployment/{Settings.Deployment} runs", [])];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        if (Settings is null || await objects.JournalAsync(cancellationToken) is null)
        {
            return await objects.UndoAsync(cancellationToken);
        }

        // Redis first, then its clients: they may still send the password, which it takes for user default in any case.
        var changes = ImmutableArray<PlannedChange>.Empty;
        if (await PasswordAsync(cancellationToken) is { } password)
        {
            await objects.ApplyStageAsync([SecretNode(password, withConfiguration: false)], cancellationToken);
            foreach (var pod in await ProtectedPodsAsync(cancellationToken))
            {
                await SendAsync(
                    pod, [$"AUTH default {RedisCli.Quote(password)}", "CONFIG SET requirepass \"\"", "CONFIG SET masterauth \"\""], cancellationToken);
                changes = changes.Add(new(Target(pod.ObjectName()!), "asks for no password any more, without a restart"));
            }
        }

        return changes.AddRange(await objects.UndoAsync(cancellationToken));
    }

    private Finding NotConfigured => Finding.NotConfigured(Name, "hardening.redisPassword");

    private K3sException NotPersistent => new(
        ExitCodes.Failed,
        $"Deployment/{Settings!.Deployment} mounts nothing of Secret/{Settings.Secret}: a restarted Redis would ask for no password",
        $"add a volume of that Secret (optional: true, items: [{{key: {ConfigurationKey}, path: auth.conf}}]), let Redis' configuration include it, and deploy");

    private string Target(string name) => $"{cluster.EnvironmentSettings.Namespace ?? cluster.Settings.App}/{name}";

    private bool IncludesSecret(JsonObject deployment) =>
        deployment.Objects("spec", "template", "spec", "volumes").Any(volume => volume.Text("secret", "secretName") == Settings!.Secret);

    private async Task<JsonObject> DeploymentAsync(CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        return await api.GetAsync(new(DeploymentType, api.Namespace, Settings!.Deployment), cancellationToken) ?? throw new K3sException(
            ExitCodes.Failed, $"there is no Deployment/{Settings.Deployment} in namespace {api.Namespace}", "deploy the app first, or correct hardening.redisPassword.deployment");
    }

    private async Task<string?> PasswordAsync(CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var live = await api.GetAsync(new(SecretType, api.Namespace, Settings!.Secret), cancellationToken);
        if (live.Text("data", PasswordKey) is not { } encoded)
        {
            return null;
        }

        var password = Encoding.UTF8.GetString(Convert.FromBase64String(encoded));
        mask.Add(new Secret(password));
        return password;
    }

    /// <summary>The Secret, then the clients; the password is the Secret's own where there is one already.</summary>
    private async Task<(ImmutableArray<JsonObject> Objects, string Password)> DesiredAsync(CancellationToken cancellationToken)
    {
        var ns = (await cluster.OpenAsync(cancellationToken)).Namespace;
        if (await PasswordAsync(cancellationToken) is not { } password)
        {
            password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            mask.Add(new Secret(password));
        }

        var clients = new List<JsonObject>();
        foreach (var name in Settings!.Clients)
        {
            clients.Add(await ClientAsync(ns, name, cancellationToken));
        }

        return ([SecretNode(password, withConfiguration: true), .. clients], password);
    }

    /// <summary>A client's Deployment with nothing but the two variables, in each of its containers.</summary>
    private async Task<JsonObject> ClientAsync(string ns, string name, CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var live = await api.GetAsync(new(DeploymentType, ns, name), cancellationToken) ?? throw new K3sException(
            ExitCodes.Failed, $"there is no Deployment/{name} in namespace {ns}", "deploy the app first, or correct hardening.redisPassword.clients");
        var containers = live.Objects("spec", "template", "spec", "containers").Select(container => new JsonObject
        {
            ["name"] = container.Text("name"),
            ["env"] = new JsonArray(
                new JsonObject { ["name"] = Settings!.UserVariable, ["value"] = "default" },
                new JsonObject
                {
                    ["name"] = Settings.PasswordVariable,
                    ["valueFrom"] = new JsonObject { ["secretKeyRef"] = new JsonObject { ["name"] = Settings.Secret, ["key"] = PasswordKey } },
                }),
        });
        return new()
        {
            ["apiVersion"] = DeploymentType.ApiVersion,
            ["kind"] = DeploymentType.Kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns },
            ["spec"] = new JsonObject { ["template"] = new JsonObject { ["spec"] = new JsonObject { ["containers"] = new JsonArray([.. containers]) } } },
        };
    }

    private JsonObject SecretNode(string password, bool withConfiguration)
    {
        var data = new JsonObject { [PasswordKey] = Encode(password) };
        if (withConfiguration)
        {
            var quoted = RedisCli.Quote(password);
            data[ConfigurationKey] = Encode($"requirepass {quoted}\nmasterauth {quoted}\n");
        }

        return new()
        {
            ["apiVersion"] = SecretType.ApiVersion,
            ["kind"] = SecretType.Kind,
            ["metadata"] = new JsonObject { ["name"] = Settings!.Secret, ["namespace"] = cluster.EnvironmentSettings.Namespace ?? cluster.Settings.App },
            ["data"] = data,
        };

        static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
    }

    private async Task AwaitClientsAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var outcome = await rollouts.WatchAsync(
            api,
            Settings!.Clients.Select(name => new ObjectKey(DeploymentType, api.Namespace, name)),
            new(since, cluster.Settings.Rollout.Deadline.Value),
            cancellationToken);
        if (!outcome.Succeeded)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"a client of Redis did not come up with the password, so Redis was left open: {outcome.Failures[0]}",
                $"mend it and run --target=Harden-{ControlName} again, or take it back with --target=Undo-{ControlName}",
                [.. outcome.Failures.Select(failure => failure.ToString())]);
        }
    }

    private async Task<IEnumerable<JsonObject>> PodsAsync(CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var selector = string.Join(',', (await DeploymentAsync(cancellationToken)).Texts("spec", "selector", "matchLabels").Select(label => $"{label.Key}={label.Value}"));
        var pods = await api.ListAsync(new("", "v1", "Pod"), api.Namespace, new() { LabelSelector = selector }, cancellationToken);
        return pods.Items.Where(pod => pod.Text("status", "phase") == "Running" && pod.At("metadata", "deletionTimestamp") is null);
    }

    private Task<List<JsonObject>> OpenPodsAsync(CancellationToken cancellationToken) => PodsAsync(isOpen: true, cancellationToken);

    private Task<List<JsonObject>> ProtectedPodsAsync(CancellationToken cancellationToken) => PodsAsync(isOpen: false, cancellationToken);

    private async Task<List<JsonObject>> PodsAsync(bool isOpen, CancellationToken cancellationToken)
    {
        var found = new List<JsonObject>();
        foreach (var pod in await PodsAsync(cancellationToken))
        {
            if ((await SendAsync(pod, ["PING"], cancellationToken)).Contains("PONG") == isOpen)
            {
                found.Add(pod);
            }
        }

        return found;
    }

    private async Task<ImmutableArray<string>> SendAsync(JsonObject pod, IEnumerable<string> requests, CancellationToken cancellationToken)
    {
        var answers = await redis.SendAsync(
            (await cluster.EnvironmentAsync()).Cluster, pod.ObjectName()!, pod.Objects("spec", "containers").First().Text("name")!, requests, cancellationToken);
        return answers.FirstOrDefault(answer => answer.StartsWith("ERR", StringComparison.Ordinal) || answer.StartsWith("WRONGPASS", StringComparison.Ordinal)) is { } error
            ? throw new K3sException(ExitCodes.Failed, $"Redis in Pod/{pod.ObjectName()} refuses: {error}", "see its log, and its configuration of users")
            : answers;
    }
}
