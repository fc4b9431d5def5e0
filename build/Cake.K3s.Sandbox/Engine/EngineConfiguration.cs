using System.Net;
using System.Text.Json;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>The configuration of the private dockerd.</summary>
internal static class EngineConfiguration
{
    /// <summary>daemon.json.</summary>
    /// <param name="directory">The sandbox.</param>
    /// <param name="networks">Where networks that a build or a user makes get their addresses from.</param>
    /// <param name="onOverlay">Whether the data lie on an overlay file system, as in a container: overlayfs cannot be stacked on it.</param>
    public static string Write(SandboxDirectory directory, IPNetwork networks, bool onOverlay)
    {
        var settings = new Dictionary<string, object>
        {
            ["hosts"] = new[] { "unix://" + directory.EngineSocket },
            ["data-root"] = directory.EngineData,
            ["exec-root"] = directory.EngineRuntime,
            ["pidfile"] = directory.EngineLock,
            ["bridge"] = directory.Bridge,
            ["default-address-pools"] = new[] { new { @base = networks.ToString(), size = 28 } },
            ["features"] = new Dictionary<string, bool> { ["containerd-snapshotter"] = true },
            // Pods live on while a killed engine is started again.
            ["live-restore"] = true,
            // The one driver that works with and without systemd, on cgroup v1 and v2.
            ["exec-opts"] = new[] { "native.cgroupdriver=cgroupfs" },
            ["cgroup-parent"] = directory.CgroupParent,
            ["log-driver"] = "json-file",
            ["log-opts"] = new Dictionary<string, string> { ["max-size"] = "10m", ["max-file"] = "2" },
            ["ip6tables"] = false,
            ["log-level"] = "warn",
        };
        if (onOverlay)
        {
            settings["storage-driver"] = "native";
        }

        return JsonSerializer.Serialize(settings, new JsonSerializerOptions { WriteIndented = true });
    }
}
