using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.NodeBed;

/// <summary>What the bed is made of, made once from packages of the host's own release and kept under <c>.tools/</c>.</summary>
internal sealed class BedImage(ICommandRunner runner, ContentStore store, IDebianPackages packages, RunOptions options, IReporter reporter, TimeProvider time)
{
    private static readonly ImmutableArray<string> Tools = ["systemd-container", "mmdebstrap"];

    // What a provider's image of Debian or Ubuntu has, and what the tests need to look at it.
    private static readonly ImmutableArray<string> Packages =
    [
        "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "iproute2", "iputils-ping", "procps", "kmod", "curl", "ufw", "iptables",
        "nftables", "fail2ban", "python3-systemd", "unattended-upgrades", "needrestart", "netcat-openbsd", "wireguard-tools", "wireguard-go", "age",
    ];

    /// <summary>The unpacked programs that make and run nodes.</summary>
    public Task<string> ToolsAsync(CancellationToken cancellationToken) =>
        store.EnsureAsync("node-bed", Recipe(Tools), directory => UnpackAsync(directory, cancellationToken), cancellationToken);

    /// <summary>The nodes' root file system.</summary>
    public async Task<string> RootAsync(CancellationToken cancellationToken)
    {
        using var stream = typeof(BedImage).Assembly.GetManifestResourceStream("image.sh")!;
        var script = await new StreamReader(stream).ReadToEndAsync(cancellationToken);
        return await store.EnsureAsync("node-image", Recipe([.. Packages, script]), directory => MakeAsync(directory, script, cancellationToken), cancellationToken);
    }

    private async Task<string> UnpackAsync(string directory, CancellationToken cancellationToken)
    {
        var closure = await packages.ResolveAsync(DebianRelease.Host, Tools, withDependencies: true, cancellationToken);
        await packages.UnpackAsync(DebianRelease.Host, DebianSelection.WithLibraries(closure, Tools), directory, cancellationToken);
        return closure.First(package => package.Name == Tools[0]).Version;
    }

    private async Task<string> MakeAsync(string directory, string script, CancellationToken cancellationToken)
    {
        var host = DebianHost.Parse(await File.ReadAllTextAsync("/etc/os-release", cancellationToken))
            ?? throw new InvalidOperationException("/etc/os-release names no release");
        var mmdebstrap = Path.Combine(await ToolsAsync(cancellationToken), "usr/bin/mmdebstrap");
        using (var lists = await new AptLists(new AptCommands(runner), options, EnvironmentVariables.OfProcess, reporter, time).OpenAsync(DebianRelease.Host, cancellationToken))
        {
            // With mounts of its own: what a killed run leaves mounted in there would be deleted with the rest.
            await RunAsync(
                new Command(
                    "unshare",
                    "--mount",
                    "perl",
                    mmdebstrap,
                    "--mode=root",
                    "--variant=minbase",
                    "--format=directory",
                    "--aptopt=APT::Install-Recommends \"false\"",
                    "--aptopt=Acquire::Languages \"none\"",
                    $"--include={string.Join(',', Packages)}",
                    host.Codename,
                    directory,
                    lists.Apt.SourceFile),
                "make the root file system of nodes",
                cancellationToken);
        }

        await RunAsync(new Command("chroot", directory, "sh", "-c", script), "prepare the root file system of nodes", cancellationToken);
        return host.Codename;
    }

    private Task<CommandResult> RunAsync(Command command, string purpose, CancellationToken cancellationToken) =>
        runner.RunAsync(command with { Purpose = purpose, Timeout = TimeSpan.FromMinutes(5) }, cancellationToken);

    private static string Recipe(IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..8];
}
