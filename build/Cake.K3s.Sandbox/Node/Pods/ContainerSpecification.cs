using Cake.K3s.Sandbox.Node.Engine;
using Docker.DotNet.Models;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>What the engine is asked to create for a container of a pod. Decides, and runs nothing.</summary>
/// <remarks>The engine's models mark nothing as optional, though null is how they leave a member out of a request.</remarks>
internal static class ContainerSpecification
{
    private const int LogFiles = 3;
    private const string LogSize = "10m";

    /// <summary>The container that holds the pod's network for the others.</summary>
    public static CreateContainerParameters Sandbox(V1Pod pod, NodeOptions options, PodDns dns, int attempt)
    {
        var hostNetwork = pod.Spec.HostNetwork == true;
        return new()
        {
            Name = Name(pod, PodLabels.Sandbox, attempt),
            Image = ContainerEngine.PauseImageName,
            Entrypoint = ["/pause"],
            Hostname = (hostNetwork ? null : HostName(pod))!,
            Labels = Labels(pod, PodLabels.Sandbox, options, attempt),
            HostConfig = new HostConfig
            {
                NetworkMode = hostNetwork ? "host" : options.DockerNetwork,
                IpcMode = pod.Spec.HostIPC == true ? "host" : "shareable",
                PidMode = (pod.Spec.HostPID == true ? "host" : null)!,
                DNS = [.. dns.Servers],
                DNSSearch = [.. dns.Searches],
                DNSOptions = [.. dns.Options],
                ExtraHosts = [.. (pod.Spec.HostAliases ?? []).SelectMany(alias => alias.Hostnames.Select(name => $"{name}:{alias.Ip}"))],
                Sysctls = pod.Spec.SecurityContext?.Sysctls?.ToDictionary(sysctl => sysctl.Name, sysctl => sysctl.Value),
                PortBindings = (hostNetwork ? null : HostPorts(pod))!,
                LogConfig = new LogConfig { Type = "none" },
            },
        };
    }

    /// <summary>A container of the pod in the network of its sandbox.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="container">One of its containers.</param>
    /// <param name="options">The node.</param>
    /// <param name="sandboxId">The engine's id of the pause container.</param>
    /// <param name="restartCount">How often it was started before.</param>
    /// <param name="environment">Its variables.</param>
    /// <param name="binds">Its mounts, as Docker writes them.</param>
    /// <param name="imageUser">Whom the image wants to run as.</param>
    /// <exception cref="ContainerConfigException">It must not run as root, but would.</exception>
    public static CreateContainerParameters Container(
        V1Pod pod,
        V1Container container,
        NodeOptions options,
        string sandboxId,
        int restartCount,
        IReadOnlyDictionary<string, string> environment,
        IReadOnlyList<string> binds,
        string imageUser)
    {
        var security = container.SecurityContext;
        var podSecurity = pod.Spec.SecurityContext;
        var user = security?.RunAsUser ?? podSecurity?.RunAsUser;
        var group = security?.RunAsGroup ?? podSecurity?.RunAsGroup;
        RefuseRoot(pod, container, user, imageUser);

        var cpuLimit = Quantities.Find(container.Resources?.Limits, "cpu");
        var memoryLimit = (long)(Quantities.Find(container.Resources?.Limits, "memory") ?? 0);
        var labels = Labels(pod, container.Name, options, restartCount);
        labels[PodLabels.SandboxId] = sandboxId;
        labels[PodLabels.Hash] = Hash(container);
        return new()
        {
            Name = Name(pod, container.Name, restartCount),
            Image = container.Image,
            Entrypoint = Expanded(container.Command, environment)!,
            Cmd = Expanded(container.Args, environment)!,
            Env = [.. environment.Select(pair => $"{pair.Key}={pair.Value}")],
            WorkingDir = (string.IsNullOrEmpty(container.WorkingDir) ? null : container.WorkingDir)!,
            User = (user is null ? group is null ? null : $"{(imageUser.Length == 0 ? "0" : imageUser.Split(':')[0])}:{group}" : group is null ? $"{user}" : $"{user}:{group}")!,
            OpenStdin = container.Stdin == true,
            StdinOnce = container.StdinOnce == true,
            Tty = container.Tty == true,
            Healthcheck = new HealthcheckConfig { Test = ["NONE"] },
            Labels = labels,
            HostConfig = new HostConfig
            {
                NetworkMode = $"container:{sandboxId}",
                IpcMode = $"container:{sandboxId}",
                PidMode = (pod.Spec.HostPID == true ? "host" : pod.Spec.ShareProcessNamespace == true ? $"container:{sandboxId}" : null)!,
                Binds = [.. binds],
                GroupAdd = Groups(podSecurity)!,
                Privileged = security?.Privileged == true,
                ReadonlyRootfs = security?.ReadOnlyRootFilesystem == true,
                CapAdd = (security?.Capabilities?.Add is { Count: > 0 } add ? [.. add] : null)!,
                CapDrop = (security?.Capabilities?.Drop is { Count: > 0 } drop ? [.. drop] : null)!,
                SecurityOpt = SecurityOptions(security, podSecurity),
                Memory = memoryLimit,
                MemorySwap = memoryLimit,
                NanoCPUs = (long)((cpuLimit ?? 0) * 1_000_000_000),
                CPUShares = Shares(container),
                OomScoreAdj = OomScore(pod.Spec),
                LogConfig = new LogConfig { Type = "json-file", Config = new Dictionary<string, string> { ["max-size"] = LogSize, ["max-file"] = $"{LogFiles}" } },
            },
        };
    }

    /// <summary>Changes when the container's own spec does, so that an edit of its image in place is noticed.</summary>
    public static string Hash(V1Container container) => Fnv.Hash32($"{container.Name}\n{container.Image}");

    public static string HostName(V1Pod pod)
    {
        var name = string.IsNullOrEmpty(pod.Spec.Hostname) ? pod.Metadata.Name : pod.Spec.Hostname;
        return name.Length > 63 ? name[..63].TrimEnd('-', '.') : name;
    }

    private static string Name(V1Pod pod, string container, int attempt) =>
        $"k8s_{container}_{pod.Metadata.Name}_{pod.Metadata.NamespaceProperty}_{pod.Metadata.Uid}_{attempt}";

    private static Dictionary<string, string> Labels(V1Pod pod, string container, NodeOptions options, int attempt) => new()
    {
        [PodLabels.Cluster] = options.ClusterId,
        [PodLabels.PodName] = pod.Metadata.Name,
        [PodLabels.PodNamespace] = pod.Metadata.NamespaceProperty,
        [PodLabels.PodUid] = pod.Metadata.Uid,
        [PodLabels.Container] = container,
        [PodLabels.RestartCount] = $"{attempt}",
    };

    private static List<string>? Expanded(IList<string>? words, IReadOnlyDictionary<string, string> environment) =>
        words is { Count: > 0 } ? [.. words.Select(word => VariableExpansion.Expand(word, environment))] : null;

    private static void RefuseRoot(V1Pod pod, V1Container container, long? user, string imageUser)
    {
        if ((container.SecurityContext?.RunAsNonRoot ?? pod.Spec.SecurityContext?.RunAsNonRoot) != true)
        {
            return;
        }

        var where = $"(pod: \"{pod.Metadata.Name}_{pod.Metadata.NamespaceProperty}({pod.Metadata.Uid})\", container: {container.Name})";
        if (user == 0)
        {
            throw new ContainerConfigException($"container's runAsUser breaks non-root policy {where}");
        }

        var name = imageUser.Split(':')[0];
        if (user is null && name is "" or "0" or "root")
        {
            throw new ContainerConfigException($"container has runAsNonRoot and image will run as root {where}");
        }

        if (user is null && !long.TryParse(name, out _))
        {
            throw new ContainerConfigException($"container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root {where}");
        }
    }

    private static List<string>? Groups(V1PodSecurityContext? security)
    {
        var groups = (security?.SupplementalGroups ?? []).Append(security?.FsGroup).OfType<long>().Select(id => $"{id}").ToList();
        return groups.Count == 0 ? null : groups;
    }

    private static List<string> SecurityOptions(V1SecurityContext? security, V1PodSecurityContext? podSecurity)
    {
        var result = new List<string>();
        if (security?.AllowPrivilegeEscalation == false)
        {
            result.Add("no-new-privileges");
        }

        if ((security?.SeccompProfile ?? podSecurity?.SeccompProfile)?.Type == "Unconfined")
        {
            result.Add("seccomp=unconfined");
        }

        return result;
    }

    private static long Shares(V1Container container) =>
        Math.Max(2, (long)(Quantities.Request(container, "cpu") * 1024));

    // A kubelet's values where they are not negative: for those the engine would need CAP_SYS_RESOURCE.
    private static int OomScore(V1PodSpec spec) => Quantities.QualityOfService(spec) switch
    {
        "Guaranteed" => 0,
        "BestEffort" => 1000,
        _ => 500,
    };

    private static Dictionary<string, IList<PortBinding>>? HostPorts(V1Pod pod)
    {
        var ports = pod.Spec.Containers.SelectMany(container => container.Ports ?? []).Where(port => port.HostPort > 0).ToList();
        return ports.Count == 0 ? null : ports.ToDictionary(
            port => $"{port.ContainerPort}/{(port.Protocol ?? "TCP").ToLowerInvariant()}",
            // The sandbox must not open ports to the network that nobody asked for by address.
            port => (IList<PortBinding>)[new PortBinding { HostIP = string.IsNullOrEmpty(port.HostIP) ? "127.0.0.1" : port.HostIP, HostPort = $"{port.HostPort}" }]);
    }
}
