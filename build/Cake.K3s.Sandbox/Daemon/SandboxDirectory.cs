using System.Security.Cryptography;
using System.Text;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>Where everything of one sandbox lives. Two sandboxes on one machine share nothing.</summary>
/// <param name="Root">Absolute path of <c>.sandbox/</c>.</param>
internal sealed record SandboxDirectory(string Root)
{
    /// <summary>Tells this sandbox from others on the machine, in names that are the machine's: eight hexadecimal digits.</summary>
    public string Id { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)))[..8];

    /// <summary>
    /// Sockets and what else a reboot may take. Not under <see cref="Root"/>: the path of a Unix socket has at most 107 bytes,
    /// and containerd appends some fifty.
    /// </summary>
    public string Runtime => Environment.IsPrivilegedProcess && OperatingSystem.IsLinux()
        ? $"/run/cake-k3s-{Id}"
        : Path.Combine(Path.GetTempPath(), $"cake-k3s-{Id}");

    /// <summary>The socket on which the daemon is asked to open, tell and stop.</summary>
    public string ControlSocket => Path.Combine(Runtime, "daemon.sock");

    /// <summary>The Kubernetes API without TLS, for the controllers and the node.</summary>
    public string ApiSocket => Path.Combine(Runtime, "api.sock");

    /// <summary>The private engine's socket.</summary>
    public string EngineSocket => Path.Combine(Runtime, "docker.sock");

    /// <summary>The private engine's process id, as it writes it.</summary>
    public string EngineLock => Path.Combine(Runtime, "docker.pid");

    /// <summary>containerd's state, network namespaces, shims' sockets.</summary>
    public string EngineRuntime => Path.Combine(Runtime, "engine");

    /// <summary>Images, containers and volumes of the private engine.</summary>
    public string EngineData => Path.Combine(Root, "engine", "data");

    /// <summary>dockerd's configuration; also what its process is known by.</summary>
    public string EngineConfiguration => Path.Combine(Root, "engine", "daemon.json");

    /// <summary>How the host's network was before the engine came; a reboot makes it so again.</summary>
    public string HostNetworkBefore => Path.Combine(Runtime, "host-network.json");

    /// <summary>The bridge's name: at most 15 bytes (IFNAMSIZ).</summary>
    public string Bridge => "cks" + Id;

    /// <summary>The cgroup above all containers of the private engine.</summary>
    public string CgroupParent => "/cake-k3s-" + Id;

    /// <summary>The registry's configuration; also what its process is known by.</summary>
    public string RegistryConfiguration => Path.Combine(Root, "registry", "config.yml");

    /// <summary>The registry's blobs and manifests.</summary>
    public string RegistryData => Path.Combine(Root, "registry", "data");

    /// <summary>Postgres' data directory; also what its process is known by.</summary>
    public string DatabaseData => Path.Combine(Root, "postgres", "data");

    /// <summary>The passwords of the superuser and of the app, one file each.</summary>
    public string DatabasePasswords => Path.Combine(Root, "postgres", "passwords");

    /// <summary>The objects of the Kubernetes API.</summary>
    public string Cluster => Path.Combine(Root, "cluster");

    /// <summary>The volumes of pods.</summary>
    public string Node => Path.Combine(Root, "node");

    /// <summary>Certificates and tokens of the Kubernetes API.</summary>
    public string Credentials => Path.Combine(Root, "credentials");

    /// <summary>The key pair that images are signed with, and its password.</summary>
    public string Keys => Path.Combine(Root, "keys");

    /// <summary>What base images have been made, by name.</summary>
    public string BaseImages => Path.Combine(Root, "base-images");

    /// <summary>Docker's configuration directory for the sandbox's registry.</summary>
    public string DockerConfig => Path.Combine(Root, "docker");

    /// <summary>Copies of the daemon's program: a rebuild must not change the files that a running process has mapped.</summary>
    public string Programs => Path.Combine(Root, "programs");

    /// <summary>What kubectl is given.</summary>
    public string Kubeconfig => Path.Combine(Root, "kubeconfig");

    /// <summary>Who the daemon is, and what it has chosen for good.</summary>
    public string StateFile => Path.Combine(Root, "state.json");

    /// <summary>Locked by the daemon for as long as it lives.</summary>
    public string DaemonLock => Path.Combine(Root, "daemon.lock");

    /// <summary>The output of a part.</summary>
    public string LogOf(string part) => Path.Combine(Root, "logs", part + ".log");
}
