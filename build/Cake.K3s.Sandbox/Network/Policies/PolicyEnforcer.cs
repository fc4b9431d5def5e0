using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node;
using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Settings;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network.Policies;

/// <summary>
/// Enforces NetworkPolicies, as K3s does: each pod's own network namespace gets a packet filter before its first container starts, and
/// a new one whenever policies, pods or namespaces change. Connections to Services come from the proxy, which asks here too.
/// </summary>
internal sealed class PolicyEnforcer : BackgroundService
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(10);
    private readonly NodeOptions _options;
    private readonly ContainerEngine _engine;
    private readonly ClusterCache _cache;
    private readonly ICommandRunner _commands;
    private readonly ILogger<PolicyEnforcer> _logger;
    private readonly DateTimeOffset _start;
    private readonly ConcurrentDictionary<string, Guarded> _guarded = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile ImmutableDictionary<IPAddress, PodFilter> _filters = ImmutableDictionary<IPAddress, PodFilter>.Empty;

    public PolicyEnforcer(NodeOptions options, ContainerEngine engine, ClusterCache cache, ICommandRunner commands, TimeProvider time, ILogger<PolicyEnforcer> logger)
    {
        _start = time.GetUtcNow();
        (_options, _engine, _cache, _commands, _logger) = (options, engine, cache, commands, logger);
        cache.Of<V1NetworkPolicy>().Changed += (_, _) => _wake.Writer.TryWrite(true);
        cache.Of<V1Namespace>().Changed += (_, _) => _wake.Writer.TryWrite(true);
        cache.Of<V1Pod>().Changed += (_, _) => _wake.Writer.TryWrite(true);
    }

    /// <summary>Filters a pod's packets from now on; called before its first container starts.</summary>
    /// <param name="pod">The pod; one on its node's network is left alone.</param>
    /// <param name="sandbox">The container that holds its network.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task GuardAsync(V1Pod pod, ContainerRecord sandbox, CancellationToken cancellationToken)
    {
        if (_options.Firewall is null || pod.Spec.HostNetwork == true || sandbox.ProcessId == 0 || !IPAddress.TryParse(sandbox.Address, out var address))
        {
            return;
        }

        var guarded = _guarded.AddOrUpdate(
            pod.Metadata.Uid,
            _ => New(),
            (_, known) => known.ProcessId == sandbox.ProcessId ? known : New());
        if (guarded.Rules is null)
        {
            await _cache.SyncedAsync(cancellationToken);
            await ApplyAsync(guarded, PodFilter.Of(pod, Objects()), cancellationToken);
        }

        // One that was there before this daemon may still have a filter of the last one's.
        Guarded New() => new(sandbox.ProcessId, address) { IsUnfiltered = sandbox.StartedAt > _start };
    }

    /// <summary>Whether what is sent to a Service may be passed on to an endpoint.</summary>
    public bool Allows(IPAddress client, IPEndPoint endpoint, string protocol)
    {
        // Who is no pod is the node itself, which reaches the pods on it.
        var filters = _filters;
        return client.Equals(endpoint.Address)
            || !filters.TryGetValue(client, out var from)
            || (PodFilter.Allows(from.Egress, endpoint.Address, protocol, endpoint.Port)
                && (!filters.TryGetValue(endpoint.Address, out var to) || PodFilter.Allows(to.Ingress, client, protocol, endpoint.Port)));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_options.Firewall is null)
        {
            _logger.LogInformation("NetworkPolicies are not enforced: the engine is not the sandbox's own");
            return;
        }

        await _cache.SyncedAsync(stoppingToken);
        _wake.Writer.TryWrite(true);
        while (true)
        {
            await _wake.Reader.ReadAsync(stoppingToken);
            await ReconcileAsync(stoppingToken);
        }
    }

    private async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        var objects = Objects();
        var pods = objects.Pods.Where(pod => pod.Pod.Metadata.Uid is not null).ToDictionary(pod => pod.Pod.Metadata.Uid);
        foreach (var gone in _guarded.Keys.Where(uid => !pods.ContainsKey(uid)).ToList())
        {
            _guarded.TryRemove(gone, out _);
        }

        var filters = pods.Values.ToImmutableDictionary(pod => pod.Address, pod => PodFilter.Of(pod.Pod, objects));
        _filters = filters;
        foreach (var (uid, guarded) in _guarded)
        {
            if (filters.TryGetValue(guarded.Address, out var filter) && pods.ContainsKey(uid))
            {
                await ApplyAsync(guarded, filter, cancellationToken);
            }
        }
    }

    private async Task ApplyAsync(Guarded guarded, PodFilter filter, CancellationToken cancellationToken)
    {
        var rules = filter.Text((await _engine.PrepareAsync(cancellationToken)).Gateway, _options.ServiceSubnet, _options.DnsAddress);
        await guarded.Gate.WaitAsync(cancellationToken);
        try
        {
            if (guarded.Rules == rules || (guarded is { Rules: null, IsUnfiltered: true } && filter == PodFilter.Open))
            {
                return;
            }

            var firewall = _options.Firewall!;
            await _commands.RunAsync(
                new Command("nsenter", "--target", $"{guarded.ProcessId}", "--net", "--", firewall.Restore)
                {
                    Environment = firewall.Variables,
                    StandardInput = new Secret(rules),
                    Purpose = "filter the packets of a pod",
                    Timeout = CommandLimit,
                },
                cancellationToken);
            guarded.Rules = rules;
        }
        catch (K3sException e)
        {
            // Its pod has ended, or this machine's kernel cannot: the next change tries again.
            _logger.LogWarning("A pod's packets are not filtered: {Reason}", e.Message);
        }
        finally
        {
            guarded.Gate.Release();
        }
    }

    /// <summary>What there is now; DNS counts as the pods that a cluster has for it.</summary>
    private PolicyObjects Objects()
    {
        var dns = new V1Pod
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = "kube-system", Labels = new Dictionary<string, string> { ["k8s-app"] = "kube-dns" } },
            Spec = new V1PodSpec { Containers = [] },
        };
        var running = _cache.Of<V1Pod>().Items
            .Where(pod => pod.Spec.HostNetwork != true && pod.Status?.Phase is not ("Succeeded" or "Failed"))
            .Select(pod => (Pod: pod, Address: _guarded.TryGetValue(pod.Metadata.Uid, out var guarded) ? guarded.Address
                : IPAddress.TryParse(pod.Status?.PodIP, out var address) ? address : null))
            .Where(pod => pod.Address is not null)
            .Select(pod => (pod.Pod, pod.Address!));
        return new([.. _cache.Of<V1NetworkPolicy>().Items], [.. running, (dns, _options.DnsAddress)], [.. _cache.Of<V1Namespace>().Items]);
    }

    private sealed class Guarded(long processId, IPAddress address)
    {
        public long ProcessId { get; } = processId;

        public IPAddress Address { get; } = address;

        public SemaphoreSlim Gate { get; } = new(1, 1);

        /// <summary>Whether it has had no filter before.</summary>
        public bool IsUnfiltered { get; init; }

        /// <summary>What its filter was set to last; null for never.</summary>
        public string? Rules { get; set; }
    }
}
