namespace Cake.K3s.NodeBed;

/// <summary>
/// K3s' server as far as controls can see it, on nodes of the bed: no package carries the real one. It keeps the states that its
/// documentation describes, and says in its version that it is a stand-in.
/// </summary>
public static class K3sStandIn
{
    /// <summary>Makes a node a server and starts it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="cluster">The name of its cluster: servers of one name share what the real ones share in etcd. Null for one of its own.</param>
    /// <param name="version">The version that it says it is.</param>
    public static async Task InstallAsync(BedNode node, string? cluster = null, string version = "v1.34.6+k3s1")
    {
        await using (var program = typeof(K3sStandIn).Assembly.GetManifestResourceStream("k3s-stand-in.py")!)
        await using (var file = File.Create(node.PathOf("/usr/local/bin/k3s-stand-in")))
        {
            await program.CopyToAsync(file);
        }

        await node.RunAsync($"""
            chmod 755 /usr/local/bin/k3s-stand-in
            ln -s k3s-stand-in /usr/local/bin/k3s
            mkdir -p -m 755 /etc/rancher/k3s
            echo {cluster ?? node.Name} >/etc/rancher/stand-in-cluster
            echo {version} >/etc/rancher/stand-in-version
            echo 'write-kubeconfig-mode: "0600"' >/etc/rancher/k3s/config.yaml
            cat >/etc/systemd/system/k3s.service <<'@@UNIT'
            [Unit]
            Description=A stand-in for K3s
            [Service]
            Type=notify
            NotifyAccess=all
            ExecStart=/usr/local/bin/k3s server
            Restart=no
            [Install]
            WantedBy=multi-user.target
            @@UNIT
            cat >/usr/local/sbin/modprobe <<'@@MODPROBE'
            #!/bin/sh
            # A stand-in: whether the test machine's kernel has WireGuard or not, here wireguard-go makes the device.
            case "$*" in *wireguard*) exit 0 ;; esac
            exec /sbin/modprobe "$@"
            @@MODPROBE
            chmod 755 /usr/local/sbin/modprobe
            systemctl daemon-reload
            systemctl -q enable --now k3s
            """);
    }
}
