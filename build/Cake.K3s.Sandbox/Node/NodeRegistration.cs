using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node.Engine;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node;

/// <summary>Keeps the Node object and its heartbeat Lease.</summary>
internal sealed class NodeRegistration(
    NodeOptions options, ContainerEngine engine, NodeCapacity capacity, ClusterClient client, TimeProvider time, ILogger<NodeRegistration> logger)
    : BackgroundService
{
    private const string LeaseNamespace = "kube-node-lease";
    private const int LeaseSeconds = 40;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            var pause = Heartbeat;
            try
            {
                await RegisterAsync(stoppingToken);
                await RenewAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it is, the engine's or the API's: an unhandled one would end the whole daemon.
                logger.LogDebug(e, "The node could not be registered yet");
                pause = TimeSpan.FromMilliseconds(200);
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        var info = await engine.InfoAsync(cancellationToken);
        var network = await engine.PrepareAsync(cancellationToken);
        var key = new ObjectKey("", options.NodeName);
        var node = await client.FindAsync<V1Node>(key, cancellationToken) ?? await client.CreateAsync(NewNode(network), cancellationToken);
        var status = await StatusAsync(node, info, network, cancellationToken);
        if (MergePatch.Between(node.Status, status) is { } patch)
        {
            await client.PatchAsync<V1Node>(key, new JsonObject { ["status"] = patch }, cancellationToken, "status");
        }
    }

    private V1Node NewNode(PodNetwork network) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = options.NodeName,
            Labels = new Dictionary<string, string>
            {
                ["kubernetes.io/hostname"] = options.NodeName,
                ["kubernetes.io/os"] = "linux",
                ["kubernetes.io/arch"] = Architecture(),
                ["beta.kubernetes.io/os"] = "linux",
                ["beta.kubernetes.io/arch"] = Architecture(),
                ["node.kubernetes.io/instance-type"] = "k3s",
                ["node-role.kubernetes.io/control-plane"] = "true",
                ["node-role.kubernetes.io/master"] = "true",
            },
        },
        Spec = new V1NodeSpec { PodCIDR = network.Subnet.ToString(), PodCIDRs = [network.Subnet.ToString()], ProviderID = $"k3s://{options.NodeName}" },
    };

    private async Task<V1NodeStatus> StatusAsync(
        V1Node node, Docker.DotNet.Models.SystemInfoResponse info, PodNetwork network, CancellationToken cancellationToken)
    {
        var room = await capacity.ReadAsync(cancellationToken);
        var resources = new Dictionary<string, ResourceQuantity>
        {
            ["cpu"] = new($"{room["cpu"]}"),
            ["memory"] = new($"{room["memory"] / 1024:0}Ki"),
            ["ephemeral-storage"] = new("100Gi"),
            ["pods"] = new($"{NodeCapacity.Pods}"),
        };
        var now = time.GetUtcNow().UtcDateTime;
        return new V1NodeStatus
        {
            Capacity = resources,
            Allocatable = resources,
            Addresses = [new V1NodeAddress { Type = "InternalIP", Address = network.Gateway.ToString() }, new V1NodeAddress { Type = "Hostname", Address = options.NodeName }],
            DaemonEndpoints = node.Status?.DaemonEndpoints,
            NodeInfo = new V1NodeSystemInfo
            {
                Architecture = Architecture(),
                OperatingSystem = "linux",
                OsImage = info.OperatingSystem,
                KernelVersion = info.KernelVersion,
                ContainerRuntimeVersion = $"docker://{info.ServerVersion}",
                KubeletVersion = options.KubeletVersion,
                KubeProxyVersion = options.KubeletVersion,
                MachineID = options.ClusterId,
                SystemUUID = options.ClusterId,
                BootID = options.ClusterId,
            },
            Conditions =
            [
                Condition(node, "MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", now),
                Condition(node, "DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", now),
                Condition(node, "PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available", now),
                Condition(node, "Ready", "True", "KubeletReady", "kubelet is posting ready status", now),
            ],
        };
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var key = new ObjectKey(LeaseNamespace, options.NodeName);
        if (await client.FindAsync<V1Lease>(key, cancellationToken) is { } lease)
        {
            lease.Spec.RenewTime = now;
            await client.ReplaceAsync(lease, cancellationToken);
            return;
        }

        if (await client.FindAsync<V1Namespace>(new("", LeaseNamespace), cancellationToken) is null)
        {
            await client.CreateAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = LeaseNamespace } }, cancellationToken);
        }

        await client.CreateAsync(
            new V1Lease
            {
                Metadata = new V1ObjectMeta { Name = options.NodeName, NamespaceProperty = LeaseNamespace },
                Spec = new V1LeaseSpec { HolderIdentity = options.NodeName, LeaseDurationSeconds = LeaseSeconds, RenewTime = now },
            },
            cancellationToken);
    }

    private static V1NodeCondition Condition(V1Node node, string type, string status, string reason, string message, DateTime now)
    {
        var old = node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == type);
        return new()
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = message,
            LastTransitionTime = old?.Status == status ? old.LastTransitionTime ?? now : now,
            LastHeartbeatTime = old?.Status == status && now - old.LastHeartbeatTime < TimeSpan.FromMinutes(5) ? old.LastHeartbeatTime : now,
        };
    }

    private static string Architecture() => RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
}
