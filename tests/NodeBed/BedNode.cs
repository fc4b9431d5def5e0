using System.Globalization;
using Cake.K3s.Processes;

namespace Cake.K3s.NodeBed;

/// <summary>One machine of the bed.</summary>
public sealed class BedNode
{
    private readonly Bed _bed;
    private readonly string _size;

    internal BedNode(Bed bed, string name, string address, string address6, string size)
    {
        _bed = bed;
        _size = size;
        Name = name;
        Address = address;
        Address6 = address6;
    }

    /// <summary>Its host name.</summary>
    public string Name { get; }

    /// <summary>Its IPv4 address.</summary>
    public string Address { get; }

    /// <summary>Its IPv6 address.</summary>
    public string Address6 { get; }

    /// <summary>The path of one of its files as this machine sees it, for reading and writing past its services.</summary>
    public string PathOf(string file) => _bed.PathInside($"/run/nodes/{Name}/root{file}");

    /// <summary>Runs a shell script on it as root, at its console as it were: no network is needed.</summary>
    /// <returns>Standard output, without the line end.</returns>
    public async Task<string> RunAsync(string script, params int[] acceptedExitCodes)
    {
        var result = await _bed.Runner.RunAsync(
            new Command(
                "nsenter",
                "--target", Leader()?.ToString(CultureInfo.InvariantCulture) ?? throw new InvalidOperationException($"{Name} is off"),
                "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd",
                "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "sh", "-c", script)
            {
                Purpose = $"run on {Name}",
                Timeout = TimeSpan.FromMinutes(1),
                AcceptedExitCodes = [0, .. acceptedExitCodes],
            },
            CancellationToken.None);
        return result.StandardOutput.TrimEnd('\n');
    }

    /// <summary>
    /// Names, modes, owners and hashes of all files below these directories: what undoing must bring back. Files that change by
    /// themselves are left out.
    /// </summary>
    public Task<string> StateOfAsync(params string[] directories) => RunAsync($"""
        find {string.Join(' ', directories)} ! -name '*-' ! -name .pwd.lock -printf '%p %y %m %u:%g %l\n' | sort
        find {string.Join(' ', directories)} -type f ! -name '*-' ! -name .pwd.lock -exec sha256sum {"{}"} + | sort -k 2
        """);

    /// <summary>Answers connections on TCP ports, IPv4 and IPv6, until the next reboot.</summary>
    public Task ListenAsync(params int[] ports) => RunAsync(string.Join('\n', ports.Select(port => $"""
        systemd-run --quiet --unit=listen-{port} python3 -c '
        import socket
        server = socket.create_server(("::", {port}), family=socket.AF_INET6, dualstack_ipv6=True)
        while True:
            client = server.accept()[0]
            client.sendall(b"{port}\n")
            client.close()'
        until ss -Hltn "sport = :{port}" | grep -q .; do sleep 0.02; done
        """)));

    /// <summary>Tries a TCP connection from this node.</summary>
    public async Task<Answer> ConnectAsync(string address, int port) =>
        Outside.AnswerOf(await RunAsync($"nc -vz -w 1 {address} {port} 2>&1", 1));

    /// <summary>Takes it off the network; what is connected to it stays without an answer.</summary>
    public Task CutAsync() => LinkAsync("down");

    /// <summary>Puts it back on the network.</summary>
    public Task JoinAsync() => LinkAsync("up");

    /// <summary>Reboots it in good order and waits until it has booted.</summary>
    public async Task RebootAsync()
    {
        var before = Leader();
        await RunAsync("systemctl reboot");
        await BootedAsync(before);
    }

    /// <summary>Takes its power for a moment and waits until it has booted; its disk stays.</summary>
    public async Task PowerCycleAsync()
    {
        var before = Leader();
        await _bed.Runner.RunAsync(new Command("kill", "-KILL", before!.Value.ToString(CultureInfo.InvariantCulture)), CancellationToken.None);
        await BootedAsync(before);
    }

    internal async Task PowerOnAsync()
    {
        _bed.Runner.StartDetached(_bed.Inside("node", Name, Address, Address6, _size), Path.Combine(_bed.Directory, Name + ".log"));
        try
        {
            await BootedAsync(null);
        }
        catch (TimeoutException) when (Leader() is not null)
        {
            // Nobody has done anything with it yet: a machine that hangs in its first boot is switched off and on, once.
            await PowerCycleAsync();
        }
    }

    private Task BootedAsync(int? before) => _bed.UntilAsync(() => HasBootedAsync(before), $"{Name} has booted");

    private async Task<bool> HasBootedAsync(int? before)
    {
        try
        {
            return Leader() is { } leader && leader != before && await RunAsync("systemctl is-system-running || true") is "running" or "degraded";
        }
        catch (CommandFailedException)
        {
            // It ended between the two.
            return false;
        }
    }

    private Task LinkAsync(string state) => _bed.Runner.RunAsync(_bed.Inside("link", "vb-" + Name, state), CancellationToken.None);

    // Its process 1, as this machine numbers it.
    private int? Leader()
    {
        var root = System.IO.Directory.Exists("/sys/fs/cgroup/systemd") ? "/sys/fs/cgroup/systemd" : "/sys/fs/cgroup";
        var processes = Path.Combine(root, Path.GetFileName(_bed.Directory), Name, "payload/init.scope/cgroup.procs");
        try
        {
            return File.ReadLines(processes).Select(line => (int?)int.Parse(line, CultureInfo.InvariantCulture)).FirstOrDefault();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
