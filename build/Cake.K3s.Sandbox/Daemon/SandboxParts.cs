using System.Net;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Database;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Sandbox.Network;
using Cake.K3s.Sandbox.Registry;
using Cake.K3s.Tools;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>All parts of one sandbox, with the ports and addresses that they have.</summary>
internal sealed class SandboxParts : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PartSupervisor> _outside;
    private readonly ClusterPart _cluster;
    private Task? _watching;

    private SandboxParts(List<PartSupervisor> outside, ClusterPart cluster, SandboxAddresses addresses)
    {
        _outside = outside;
        _cluster = cluster;
        Addresses = addresses;
    }

    /// <summary>Where everything is, or will be.</summary>
    public SandboxAddresses Addresses { get; }

    /// <summary>Chooses the engine, the ports and the addresses, and keeps them in the state; starts no program.</summary>
    public static async Task<SandboxParts> PlanAsync(
        DaemonOptions options,
        IToolbox tools,
        ICommandRunner runner,
        IReporter reporter,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var directory = options.Directory;
        var before = SandboxState.Read(directory) ?? new SandboxState();
        var existing = await EngineSelection.FindAsync(
            directory, options.DockerHost, reporter, cancellationToken);
        var inUse = FreeSubnet.InUse();
        var start = Convert.ToInt32(directory.Id[..2], 16);

        // While the bridge is there the addresses are in use by this very sandbox.
        var network = IPNetwork.TryParse(before.EngineSubnet, out var kept) && (NetworkDevices.Exists(directory.Bridge) || FreeSubnet.IsFree(kept, inUse))
            ? kept
            : FreeSubnet.ForPods(inUse, start);
        var services = IPNetwork.TryParse(before.ServiceSubnet, out kept) ? kept : FreeSubnet.ForServices(inUse, start);
        var engine = existing ?? EngineSelection.Private(directory, network);
        var ports = new SandboxPorts(
            Api: FreePort.Choose(options.Ports.ApiPort, before.Ports.Api, isOurs: false, "api"),
            Ingress: FreePort.Choose(options.Ports.IngressPort, before.Ports.Ingress, isOurs: false, "ingress"),
            Registry: FreePort.Choose(
                options.Ports.RegistryPort, before.Ports.Registry, RegistryPart.Program(directory).Find() is not null, "registry"),
            Postgres: FreePort.Choose(0, before.Ports.Postgres, PostgresPart.Program(directory).Find() is not null, "postgres"));
        var state = new SandboxState
        {
            Daemon = ProcessTable.Self,
            Ports = ports,
            EngineSubnet = existing is null ? network.ToString() : "",
            EngineSocket = engine.Socket,
            ServiceSubnet = services.ToString(),
        };
        state.Write(directory);

        ISandboxPart engineDaemon;
        if (existing is null)
        {
            var privateEngine = new PrivateEngine(directory, engine, network, tools, runner);
            privateEngine.EnsureBridge();
            engineDaemon = privateEngine;
        }
        else
        {
            engineDaemon = new ExistingEngine(engine);
        }

        var registry = new RegistryPart(directory, ports.Registry, tools, runner);
        var postgres = new PostgresPart(directory, ports.Postgres, engine, tools, runner);
        var cluster = new ClusterPart(directory, ports, engine, services, runner, loggers);
        return new SandboxParts(
            [.. ((ISandboxPart[])[engineDaemon, registry, postgres]).Select(part =>
                new PartSupervisor(part, reporter, loggers.CreateLogger("sandbox")))],
            cluster,
            new SandboxAddresses(directory.Kubeconfig, registry.Address, engine.DockerHost, ports.Ingress, postgres.Url.Reveal()));
    }

    /// <summary>Returns when every part answers; starts those that do not, at the same time.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_outside.Select(part => part.EnsureAsync(cancellationToken)));

        // The node needs its engine, and the rest of the cluster is not worth starting without a node.
        await _cluster.EnsureAsync(cancellationToken);
        _watching ??= Task.WhenAll(_outside.Select(part => part.WatchAsync(_stop.Token)));
    }

    /// <summary>Asks every part.</summary>
    public async Task<SandboxStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var outside = await Task.WhenAll(_outside.Select(part => part.Part.CheckAsync(cancellationToken)));
        return new SandboxStatus([.. outside, await _cluster.CheckAsync(cancellationToken)]);
    }

    /// <summary>Ends the cluster; the other programs run on, for the next daemon or for their removal.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_watching is { } watching)
        {
            await watching.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        await _cluster.DisposeAsync();
        _outside.ForEach(part => part.Dispose());
        _stop.Dispose();
    }
}
