using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.SignedImages;

/// <summary>
/// The app's namespace takes no image but one that is pinned by digest and comes from a registry that is named; where the cluster
/// has Kyverno, none that the app's key has not signed.
/// </summary>
[ProvedBy("admission policies, evaluated by the sandbox's API", "Kyverno: its types alone")]
internal sealed class SignedImagesControl(ControlCluster cluster, ImageGate gate) : IControl
{
    private const string ControlName = "SignedImages";
    private static readonly GroupVersionKind PodType = new("", "v1", "Pod");
    private static readonly string AnyDigest = "@sha256:" + new string('0', 64);

    /// <inheritdoc/>
    public string Name => ControlName;

    /// <inheritdoc/>
    public string Protects => "Whoever gets into the cluster or the registry cannot let it run an image that the app's key has not signed.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    private SignedImagesSettings? Settings => cluster.Hardening.SignedImages;

    private static Finding NotConfigured => Finding.NotConfigured(ControlName, "hardening.signedImages");

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var (environment, api) = await OpenAsync(cancellationToken);
        var findings = await (await cluster.ObjectsAsync(Name, cancellationToken)).AuditAsync(await DesiredAsync(environment, api, cancellationToken), cancellationToken);
        var beginnings = await BeginningsAsync(environment, cancellationToken);
        var refused = (await RunningAsync(api, cancellationToken)).Select(image => ObjectionTo(image, beginnings)).OfType<string>().ToImmutableArray();
        return refused.IsEmpty
            ? findings
            : findings.Add(new(Name, api.Namespace, ControlState.Drifted, $"{refused.Length} images that run here would be refused when their pods are made again", refused));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [];
        }

        var (environment, api) = await OpenAsync(cancellationToken);
        return await (await cluster.ObjectsAsync(Name, cancellationToken)).PlanAsync(await DesiredAsync(environment, api, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [];
        }

        var (environment, api) = await OpenAsync(cancellationToken);
        var desired = await DesiredAsync(environment, api, cancellationToken);
        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        if ((await objects.PlanAsync(desired, cancellationToken)).IsEmpty)
        {
            return await objects.FinishAsync(desired, cancellationToken);
        }

        // What runs now must be able to come up again: a node that is drained at night is no time to find out.
        var beginnings = await BeginningsAsync(environment, cancellationToken);
        var running = await RunningAsync(api, cancellationToken);
        if (running.Select(image => ObjectionTo(image, beginnings)).OfType<string>().ToList() is { Count: > 0 } refused)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{Name} is not applied: {refused.Count} images that run in {api.Namespace} would be refused when their pods are made again",
                "Deploy them pinned by digest, or name their registry under hardening.signedImages.registries.",
                refused);
        }

        await gate.CheckAsync(running, cancellationToken);
        return await objects.ApplyAsync(desired, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var (environment, api) = await OpenAsync(cancellationToken);
        var own = environment.Registry.RepositoryOf("");
        var pinned = PinnedImagesPolicy.NameOf(cluster.Settings.App);
        var findings = ImmutableArray.CreateBuilder<Finding>();
        findings.Add(await RefusedAsync(api, "an image without a digest", own + "probe:latest", pinned, cancellationToken));
        findings.Add(await RefusedAsync(api, "an image of another registry", "registry.invalid/probe" + AnyDigest, pinned, cancellationToken));
        if (settings.Kyverno == KyvernoAction.Deny)
        {
            findings.Add(await RefusedAsync(api, "an image without a signature", own + "probe" + AnyDigest, KyvernoPolicies.NameOf(cluster.Settings.App), cancellationToken));
        }

        // One of the app's own that runs is known to be there and to be signed.
        if ((await RunningAsync(api, cancellationToken)).Find(image => image.StartsWith(own, StringComparison.Ordinal)) is { } image)
        {
            var refusal = await RefusalAsync(api, image, cancellationToken);
            findings.Add(new(
                Name,
                "the app's own image",
                refusal is null ? ControlState.InPlace : ControlState.Drifted,
                refusal is null ? $"taken: {image}" : $"refused: {refusal}",
                []));
        }

        return findings.ToImmutable();
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) =>
        await (await cluster.ObjectsAsync(Name, cancellationToken)).UndoAsync(cancellationToken);

    private async Task<(DeployEnvironment Environment, ClusterApi Api)> OpenAsync(CancellationToken cancellationToken) =>
        (await cluster.EnvironmentAsync(), await cluster.OpenAsync(cancellationToken));

    private async Task<IReadOnlyList<JsonObject>> DesiredAsync(DeployEnvironment environment, ClusterApi api, CancellationToken cancellationToken)
    {
        var app = cluster.Settings.App;
        var desired = PinnedImagesPolicy.Objects(app, api.Namespace, await BeginningsAsync(environment, cancellationToken)).ToList();
        if (Settings!.Kyverno == KyvernoAction.Off)
        {
            return desired;
        }

        var kind = await KyvernoKindAsync(api, cancellationToken);
        if (kind.Kind == "ClusterPolicy" && environment.SigningKey.Form == SignatureForm.Bundle)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{Name}: this cluster's Kyverno has no ImageValidatingPolicy, and its ClusterPolicy verifies no bundles with a key",
                "Sign in the legacy form (signing.form), or install Kyverno 1.17 or newer.");
        }

        var keys = SigningKeys.Accepted(environment.SigningKey).Select(key => File.ReadAllText(key.File)).ToList();
        desired.Add(KyvernoPolicies.Policy(kind, app, api.Namespace, environment.Registry.RepositoryOf(""), keys, Settings.Kyverno));
        return desired;
    }

    private static async Task<GroupVersionKind> KyvernoKindAsync(ClusterApi api, CancellationToken cancellationToken)
    {
        foreach (var kind in KyvernoPolicies.Kinds)
        {
            if (await api.FindResourceAsync(kind, cancellationToken) is not null)
            {
                return kind;
            }
        }

        throw new K3sException(
            ExitCodes.RequirementMissing,
            $"{ControlName}: hardening.signedImages.kyverno is set, and the cluster has no Kyverno",
            "Install Kyverno (kyverno.io, Helm chart kyverno/kyverno), or leave 'kyverno' out: digests and registries are enforced without it.");
    }

    /// <summary>What images may begin with: the registries, and the repositories of what other controls let run in the namespace.</summary>
    private async Task<ImmutableArray<string>> BeginningsAsync(DeployEnvironment environment, CancellationToken cancellationToken)
    {
        string?[] named = [cluster.EnvironmentSettings.Backup?.Image, cluster.Hardening.NetworkPolicies?.ProbeImage];
        var references = await Task.WhenAll(named.OfType<string>().Select(image => environment.ReferenceOf(image, cancellationToken)));
        return
        [
            .. Settings!.Registries.Select(registry => registry.TrimEnd('/') + "/")
                .Prepend(environment.Registry.RepositoryOf(""))
                .Concat(references.Where(image => image.Contains('@', StringComparison.Ordinal)).Select(image => image[..(image.IndexOf('@', StringComparison.Ordinal) + 1)]))
                .Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>What the admission policy would say of an image; null for nothing.</summary>
    private static string? ObjectionTo(string image, ImmutableArray<string> beginnings) =>
        image.Split('@') is not [_, var digest] || Digest.TryParse(digest) is null ? $"{image}: it is not pinned by digest"
        : beginnings.Any(registry => image.StartsWith(registry, StringComparison.Ordinal)) ? null
        : $"{image}: it comes from another registry";

    /// <summary>The images of the pods in the namespace that have not ended.</summary>
    private static async Task<List<string>> RunningAsync(ClusterApi api, CancellationToken cancellationToken) =>
    [
        .. (await api.ListAsync(PodType, api.Namespace, null, cancellationToken)).Items
            .Where(pod => pod.Text("status", "phase") is not ("Succeeded" or "Failed"))
            .SelectMany(pod => PodSpecs.Containers(pod.At("spec")))
            .Select(container => container.Text("image"))
            .OfType<string>()
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    private async Task<Finding> RefusedAsync(ClusterApi api, string what, string image, string policy, CancellationToken cancellationToken)
    {
        var refusal = await RefusalAsync(api, image, cancellationToken);
        var (state, summary) = refusal switch
        {
            null => (ControlState.Missing, "a pod with it is taken"),
            _ when refusal.Contains(policy, StringComparison.Ordinal) => (ControlState.InPlace, $"a pod with it is refused by {policy}"),
            _ => (ControlState.Unknown, $"a pod with it is refused, but not by {policy}"),
        };
        return new(Name, what, state, summary, refusal is null ? [] : [refusal]);
    }

    /// <summary>Asks for a pod as a dry run.</summary>
    /// <returns>Why it is refused; null if it is not.</returns>
    private static async Task<string?> RefusalAsync(ClusterApi api, string image, CancellationToken cancellationToken)
    {
        try
        {
            await api.CreateAsync(ProbePod.Of(api.Namespace, image), cancellationToken, new() { DryRun = true });
            return null;
        }
        catch (KubernetesApiException refusal) when (refusal.IsRefusal)
        {
            return refusal.ApiMessage;
        }
    }
}
