using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.TraefikMiddleware;

/// <summary>
/// Answers carry security headers, and a visitor who asks too often is refused. First the Middlewares, then the Ingresses that name
/// them, and the other way round when it is taken back: Traefik answers 404 for an Ingress whose middleware is not there.
/// </summary>
[ProvedBy(null, "Traefik: the sandbox's ingress carries headers and limits out after its documentation")]
internal sealed class TraefikMiddlewareControl(ControlCluster cluster, ManifestLoader loader, HttpClient http) : IControl
{
    private const string ControlName = "TraefikMiddleware";

    // TEST-NET-3 of RFC 5737: addresses that no visitor has.
    private const string Visitor = "203.0.113.";

    // Nodes count apart from each other, and buckets fill while requests are under way.
    private const int Excess = 4;
    private static readonly GroupVersionKind MiddlewareType = new("traefik.io", "v1alpha1", "Middleware");
    private static readonly GroupVersionKind IngressType = new("networking.k8s.io", "v1", "Ingress");

    /// <inheritdoc/>
    public string Name => ControlName;

    /// <inheritdoc/>
    public string Protects => "Browsers are told what pages may do, and one visitor cannot use up the app for the others.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    private TraefikMiddlewareSettings? Settings => cluster.Hardening.TraefikMiddleware;

    private Finding NotConfigured => Finding.NotConfigured(Name, "hardening.traefikMiddleware");

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var (middlewares, ingresses) = await DesiredAsync(cancellationToken);
        var findings = await (await cluster.ObjectsAsync(Name, cancellationToken)).AuditAsync([.. middlewares, .. ingresses], cancellationToken);
        return findings.AddRange(await DanglingAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [];
        }

        var (middlewares, ingresses) = await DesiredAsync(cancellationToken);
        return await (await cluster.ObjectsAsync(Name, cancellationToken)).PlanAsync([.. middlewares, .. ingresses], cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [];
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var (middlewares, ingresses) = await DesiredAsync(cancellationToken);
        var changes = await objects.ApplyStageAsync(middlewares, cancellationToken);

        // An Ingress that names one that is not there already stands still; ours must not be taken for the reason.
        if ((await DanglingAsync(cancellationToken)).FirstOrDefault() is { } dangling)
        {
            throw new K3sException(
                ExitCodes.Failed, $"{dangling.Target}: {dangling.Summary}", "make that Middleware, or take its name out of the Ingress' annotation, then harden again");
        }

        changes = changes.AddRange(await objects.ApplyStageAsync(ingresses, cancellationToken));
        return changes.AddRange(await objects.FinishAsync([.. middlewares, .. ingresses], cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var (middlewares, _) = await DesiredAsync(cancellationToken);
        var hosts = (await IngressesAsync(cancellationToken)).SelectMany(ingress => ingress.Objects("spec", "rules"))
            .Select(rule => rule.Text("host")).OfType<string>().Where(host => !host.StartsWith('*')).Distinct().ToList();
        var environment = await cluster.EnvironmentAsync();
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var host in hosts)
        {
            findings.Add(await HeadersAsync(host, environment.AddressOf(host), MiddlewareEffect.Headers(middlewares), cancellationToken));
        }

        if (MiddlewareEffect.Limit(middlewares) is var (header, burst) && hosts.FirstOrDefault() is { } first)
        {
            findings.Add(await LimitAsync(first, environment.AddressOf(first), header, burst, cancellationToken));
        }

        return findings.Count > 0 ? findings.ToImmutable() : [new(Name, "", ControlState.Unknown, "no Ingress of the app has a host to ask", [])];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) =>
        await (await cluster.ObjectsAsync(Name, cancellationToken)).UndoAsync(cancellationToken);

    private async Task<Finding> HeadersAsync(string host, Uri address, ImmutableDictionary<string, string> wanted, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(host, address, null, cancellationToken);
        var missing = wanted
            .Where(header => !(response.Headers.TryGetValues(header.Key, out var values) && values.Contains(header.Value)))
            .Select(header => $"{header.Key}: {header.Value} is not in the answer {(int)response.StatusCode}")
            .Order(StringComparer.Ordinal)
            .ToImmutableArray();

        // Traefik's own 404, where an Ingress has no router, carries none; an app's does, and it may have nothing at /.
        return missing.IsEmpty && (!wanted.IsEmpty || response.StatusCode != HttpStatusCode.NotFound)
            ? new(Name, host, ControlState.InPlace, $"answers carry {wanted.Count} security headers", [])
            : new(Name, host, ControlState.Missing, $"{missing.Length} of {wanted.Count} security headers are not in the answer {(int)response.StatusCode}", missing);
    }

    /// <summary>One visitor asks until he is refused; another one, from the same edge, must not be.</summary>
    private async Task<Finding> LimitAsync(string host, Uri address, string header, long burst, CancellationToken cancellationToken)
    {
        var (one, other) = (Visitor + Random.Shared.Next(1, 120).ToString(CultureInfo.InvariantCulture), Visitor + Random.Shared.Next(130, 250).ToString(CultureInfo.InvariantCulture));

        // All at the same time: one after the other, a slow app would keep them below the limit.
        var statuses = await Task.WhenAll(Enumerable.Range(0, (int)burst * Excess).Select(_ => StatusAsync((header, one))));
        var refused = statuses.Contains(HttpStatusCode.TooManyRequests);
        var served = await StatusAsync((header, other)) != HttpStatusCode.TooManyRequests;
        return (refused, served) switch
        {
            (true, true) => new(Name, host, ControlState.InPlace, $"a visitor is refused (429) among {statuses.Length} requests at once, and another one is not", []),
            (true, false) => new(Name, host, ControlState.Drifted, $"the limit counts all visitors together: one of another {header} is refused too", []),
            _ => new(Name, host, ControlState.Missing, $"{statuses.Length} requests at once by one visitor were all let through", []),
        };

        async Task<HttpStatusCode> StatusAsync((string, string) visitor)
        {
            using var response = await SendAsync(host, address, visitor, cancellationToken);
            return response.StatusCode;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string host, Uri address, (string Name, string Value)? visitor, CancellationToken cancellationToken)
    {
        // Names below localhost are this machine (RFC 6761), whether its resolver knows that or not.
        var isLocal = address.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
        using var request = new HttpRequestMessage(HttpMethod.Get, isLocal ? new UriBuilder(address) { Host = "127.0.0.1" }.Uri : address);
        request.Headers.Host = address.Authority;
        if (visitor is var (name, value))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new K3sException(ExitCodes.Failed, $"{host} does not answer at {address}: {e.Message}", "see whether the app is deployed and its host leads here", innerException: e);
        }
    }

    private async Task<(ImmutableArray<JsonObject> Middlewares, ImmutableArray<JsonObject> Ingresses)> DesiredAsync(CancellationToken cancellationToken)
    {
        var ns = (await cluster.OpenAsync(cancellationToken)).Namespace;
        var inputs = ManifestInputs.ForCheck(cluster.Settings, cluster.EnvironmentSettings) with { Paths = Settings!.Manifests, MigrationJob = null };
        var middlewares = ImmutableArray.CreateBuilder<JsonObject>();
        foreach (var manifest in (await loader.LoadAsync(inputs, cancellationToken)).Objects)
        {
            if (manifest.Key.Type != MiddlewareType)
            {
                throw manifest.Place.Error($"the folder of middlewares holds a {manifest.Key.Type}", $"move it to another folder, or make it a Middleware ({MiddlewareType.ApiVersion})");
            }

            var node = manifest.Node.DeepClone().AsObject();
            node.Child("metadata")["namespace"] = manifest.Key.Namespace ?? ns;
            middlewares.Add(node);
        }

        var own = middlewares.Select(MiddlewareReferences.Of).ToList();
        var journal = await (await cluster.ObjectsAsync(Name, cancellationToken)).JournalAsync(cancellationToken);
        var retired = (journal?.Objects ?? []).Where(entry => entry.Kind == MiddlewareType.Kind)
            .Select(entry => MiddlewareReferences.Of(entry.Namespace, entry.Name)).Except(own).ToList();
        return (middlewares.ToImmutable(), [.. (await IngressesAsync(cancellationToken)).Select(ingress => new JsonObject
        {
            ["apiVersion"] = IngressType.ApiVersion,
            ["kind"] = IngressType.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = ingress.ObjectName(),
                ["namespace"] = ns,
                ["annotations"] = new JsonObject { [MiddlewareReferences.Annotation] = MiddlewareReferences.With(MiddlewareReferences.Read(ingress).Except(retired), own) },
            },
        })]);
    }

    private async Task<IReadOnlyList<JsonObject>> IngressesAsync(CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        return (await api.ListAsync(IngressType, api.Namespace, null, cancellationToken)).Items;
    }

    private async Task<IEnumerable<Finding>> DanglingAsync(CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        IReadOnlyList<JsonObject> middlewares = await api.FindResourceAsync(MiddlewareType, cancellationToken) is null
            ? []
            : (await api.ListAsync(MiddlewareType, null, null, cancellationToken)).Items;
        return from ingress in await IngressesAsync(cancellationToken)
               from reference in MiddlewareReferences.Missing(ingress, middlewares)
               select new Finding(
                   Name, $"{api.Namespace}/{ingress.ObjectName()}", ControlState.Drifted, $"it names {reference}, which is not there: Traefik answers 404 for it", []);
    }
}
