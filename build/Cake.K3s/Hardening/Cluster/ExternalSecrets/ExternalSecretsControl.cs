using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.Charts;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.ExternalSecrets;

/// <summary>
/// The app's Secrets follow Vault: for every Secret of the manifests that has values of deploy.yaml's secrets, an ExternalSecret that
/// writes those keys into it. The Secret is nobody's but the deploy's (it is merged into, and kept), so it stays when Vault, the operator or
/// this control is gone.
/// </summary>
[ProvedBy("objects and Secrets in the sandbox's API", "Vault's HTTP API, the operator, K3s' Helm controller")]
internal sealed class ExternalSecretsControl(
    ControlCluster cluster, ManifestLoader loader, ChartInstaller installer, SecretReader secrets, VaultReader vault, TimeProvider time)
    : ChartControl(cluster, loader, installer, time)
{
    private const string ApiVersion = "external-secrets.io/v1";
    private static readonly GroupVersionKind SecretType = new("", "v1", "Secret");
    private static readonly GroupVersionKind ExternalType = new("external-secrets.io", "v1", "ExternalSecret");
    private readonly ManifestLoader _loader = loader;

    /// <inheritdoc/>
    public override string Name => "ExternalSecrets";

    /// <inheritdoc/>
    public override string Protects => "Secrets have one home with a log and an end to every access; a new value reaches the cluster by itself.";

    /// <inheritdoc/>
    protected override string Key => "hardening.externalSecrets";

    /// <inheritdoc/>
    protected override ImmutableArray<string>? Folders => Settings?.Manifests;

    private ExternalSecretsSettings? Settings => Cluster.Hardening.ExternalSecrets;

    private string StoreName => Cluster.Settings.App + "-vault";

    /// <summary>All that the cluster is to take from Vault must be there: nothing is applied before.</summary>
    protected override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var values = await vault.ReadAsync(Settings!, await TokenAsync(cancellationToken), cancellationToken);
        var missing = (await MirroredAsync(cancellationToken)).Select(key => key.Name).Where(name => !values.ContainsKey(name)).Distinct().ToList();
        if (missing.Count > 0)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"Vault's {Settings!.Mount}/{Settings.Path} has no {string.Join(" and no ", missing)}",
                $"Add it: vault kv patch -mount={Settings.Mount} {Settings.Path} {missing[0]}=…");
        }
    }

    /// <inheritdoc/>
    protected override async Task<IReadOnlyList<JsonObject>> DesiredAsync(ImmutableArray<string> folders, CancellationToken cancellationToken)
    {
        var ns = (await Cluster.OpenAsync(cancellationToken)).Namespace;
        var token = await TokenAsync(cancellationToken);
        var mirrored = await MirroredAsync(cancellationToken);
        if (mirrored.IsEmpty)
        {
            throw new K3sException(
                ExitCodes.BadInput, $"{Key} is set, and no Secret in the app's manifests has a secret of deploy.yaml as a value", "Take the key out, or write ${NAME} as a value of a Secret.");
        }

        return
        [
            .. await base.DesiredAsync(folders, cancellationToken),
            .. mirrored.Select(key => key.Namespace ?? ns).Distinct().SelectMany(space => new[] { TokenSecret(space, token), Store(space) }),
            .. mirrored.GroupBy(key => (key.Secret, Namespace: key.Namespace ?? ns)).Select(keys => External(keys.Key.Secret, keys.Key.Namespace, keys)),
        ];
    }

    /// <summary>Each value in the cluster equals Vault's, compared by hash.</summary>
    protected override async Task<ImmutableArray<Finding>> MeasureAsync(
        ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var values = await vault.ReadAsync(Settings!, await TokenAsync(cancellationToken), cancellationToken);
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var keys in (await MirroredAsync(cancellationToken)).GroupBy(key => (key.Secret, Namespace: key.Namespace ?? api.Namespace)))
        {
            var (secret, ns) = keys.Key;
            var live = await api.GetAsync(new(SecretType, ns, secret), cancellationToken);
            var external = await api.GetAsync(new(ExternalType, ns, secret), cancellationToken);
            var different = keys.Where(key => !values.TryGetValue(key.Name, out var value) || !Same(live.Text("data", key.Key), value))
                .Select(key => $"{key.Key}: it is not Vault's {key.Name}").ToImmutableArray();
            findings.Add((external.IsTrue("Ready"), different.IsEmpty) switch
            {
                (true, true) => new(Name, $"{ns}/{secret}", ControlState.InPlace, $"its {keys.Count()} values are Vault's", []),
                (false, _) => new(Name, $"{ns}/{secret}", ControlState.Missing, $"the operator does not follow Vault: {external.Condition("Ready").Text("message") ?? "it has not looked at it"}", different),
                _ => new(Name, $"{ns}/{secret}", ControlState.Drifted, $"{different.Length} of its {keys.Count()} values are not Vault's", different),
            });
        }

        return findings.ToImmutable();
    }

    private static bool Same(string? encoded, Secret value) => encoded is not null && CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Convert.FromBase64String(encoded)), SHA256.HashData(Encoding.UTF8.GetBytes(value.Reveal())));

    private Task<Secret> TokenAsync(CancellationToken cancellationToken) =>
        secrets.ReadAsync(Key + ".token", Settings!.Token, Cluster.Settings.Root, cancellationToken);

    /// <summary>The keys of the app's manifests that are to follow Vault.</summary>
    private async Task<ImmutableArray<MirroredKey>> MirroredAsync(CancellationToken cancellationToken)
    {
        var inputs = ManifestInputs.ForCheck(Cluster.Settings, Cluster.EnvironmentSettings) with { Variables = (await Cluster.EnvironmentAsync()).Variables };
        inputs = inputs with { Secrets = inputs.Secrets.ToImmutableDictionary(secret => secret.Key, secret => (Secret?)new Secret(MirroredKey.MarkOf(secret.Key))) };
        return MirroredKey.Find((await _loader.LoadAsync(inputs, cancellationToken)).Objects.Select(manifest => manifest.Node));
    }

    private JsonObject TokenSecret(string ns, Secret token) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = Metadata(StoreName, ns),
        ["type"] = "Opaque",
        ["data"] = new JsonObject { ["token"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(token.Reveal())) },
    };

    private JsonObject Store(string ns) => new()
    {
        ["apiVersion"] = ApiVersion,
        ["kind"] = "SecretStore",
        ["metadata"] = Metadata(StoreName, ns),
        ["spec"] = new JsonObject
        {
            ["provider"] = new JsonObject
            {
                ["vault"] = new JsonObject
                {
                    ["server"] = Settings!.Vault,
                    ["path"] = Settings.Mount,
                    ["version"] = "v2",
                    ["auth"] = new JsonObject { ["tokenSecretRef"] = new JsonObject { ["name"] = StoreName, ["key"] = "token" } },
                },
            },
        },
    };

    private JsonObject External(string secret, string ns, IEnumerable<MirroredKey> keys) => new()
    {
        ["apiVersion"] = ApiVersion,
        ["kind"] = ExternalType.Kind,
        ["metadata"] = Metadata(secret, ns),
        ["spec"] = new JsonObject
        {
            ["refreshInterval"] = string.Create(CultureInfo.InvariantCulture, $"{Settings!.Refresh.Value.TotalSeconds:0}s"),
            ["secretStoreRef"] = new JsonObject { ["name"] = StoreName, ["kind"] = "SecretStore" },

            // The deploy makes the Secret; the operator writes these keys into it, and never takes it away.
            ["target"] = new JsonObject { ["name"] = secret, ["creationPolicy"] = "Merge", ["deletionPolicy"] = "Retain" },
            ["data"] = new JsonArray([.. keys.Select(key => new JsonObject
            {
                ["secretKey"] = key.Key,
                ["remoteRef"] = new JsonObject { ["key"] = Settings.Path, ["property"] = key.Name },
            })]),
        },
    };

    private static JsonObject Metadata(string name, string ns) => new() { ["name"] = name, ["namespace"] = ns };
}
