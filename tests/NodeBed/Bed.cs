using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.NodeBed;

/// <summary>
/// Nodes as real machines with systemd, sshd, UFW, fail2ban and apt, on a private network of their own, and a machine outside
/// that network. This machine is the operator's: <see cref="OperatorAddress"/>. Everything ends with this process, however that ends.
/// </summary>
/// <remarks>Many beds can run at once. It needs root on Debian or Ubuntu; what it is made of it fetches itself.</remarks>
public sealed class Bed : IAsyncDisposable
{
    private const string DefaultSize = "512m";
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly ConcurrentQueue<Task<BedNode>> _ahead = new();
    private readonly ServiceProvider _services;
    private readonly ImmutableDictionary<string, string?> _environment;
    private int _nodes;
    private int _init;

    private Bed(ServiceProvider services, string directory, string image, string tools, string subnet, string subnet6)
    {
        _services = services;
        Directory = directory;
        Subnet = subnet;
        Subnet6 = subnet6;
        _environment = ImmutableDictionary<string, string?>.Empty
            .Add("DIR", directory)
            .Add("IMAGE", image)
            .Add("TOOLS", tools)
            .Add("SUBNET", subnet)
            .Add("SUBNET6", subnet6)
            .Add("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        Outside = new Outside(this);
    }

    /// <summary>Why no bed can be had on this machine; null where it can.</summary>
    public static string? Missing =>
        !OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess ? "nodes as machines need root on Linux"
        : ProgramPath.Find("apt-get", EnvironmentVariables.OfProcess["PATH"]) is null ? "nodes are made of Debian packages, and there is no apt-get here"
        : null;

    /// <summary>The bed's own directory on this machine.</summary>
    public string Directory { get; }

    /// <summary>The key that root, deploy (sudo without a password) and guest (no sudo) log in with on each node.</summary>
    public string PrivateKeyFile => Path.Combine(Directory, "key");

    /// <summary>This machine's address on the nodes' network.</summary>
    public string OperatorAddress => $"{Subnet}.1";

    /// <summary>The same, IPv6.</summary>
    public string OperatorAddress6 => $"{Subnet6}::1";

    /// <summary>The nodes' network.</summary>
    public string NodeRange => $"{Subnet}.0/24";

    /// <summary>The same, IPv6.</summary>
    public string NodeRange6 => $"{Subnet6}::/64";

    /// <summary>A machine that has whatever address outside <see cref="NodeRange"/> a test wants it to have.</summary>
    public Outside Outside { get; }

    internal ICommandRunner Runner => _services.GetRequiredService<ICommandRunner>();

    private string Subnet { get; }

    private string Subnet6 { get; }

    private static string Script => Path.Combine(AppContext.BaseDirectory, "bed.sh");

    /// <summary>Starts a bed without nodes; the first one on a machine makes their root file system (about 30 s).</summary>
    /// <param name="repositoryRoot">Absolute path of the repository, for its <c>.tools/</c>.</param>
    /// <param name="log">Told what is fetched; null for nobody.</param>
    /// <param name="owner">The process that it ends with; null for this one.</param>
    public static async Task<Bed> StartAsync(string repositoryRoot, Action<string>? log = null, int? owner = null)
    {
        var services = new ServiceCollection()
            .AddSingleton(new RunOptions { Root = repositoryRoot, SettingsFile = Path.Combine(repositoryRoot, "deploy.yaml") })
            .AddSingleton<IReporter>(new ToLog(log))
            .AddProcesses()
            .AddTools()
            .AddSingleton<BedImage>()
            .BuildServiceProvider();
        var images = services.GetRequiredService<BedImage>();
        var number = FreeNetwork();
        var bed = new Bed(
            services,
            System.IO.Directory.CreateTempSubdirectory("cake-k3s-bed-").FullName,
            await images.RootAsync(CancellationToken.None),
            await images.ToolsAsync(CancellationToken.None),
            $"10.{213 + (number >> 8)}.{number & 0xFF}",
            string.Create(CultureInfo.InvariantCulture, $"fd00:bed:{number:x}"));
        await bed.StartAsync(owner ?? Environment.ProcessId);
        return bed;
    }

    /// <summary>Boots nodes before they are asked for; for each that is given away another one boots.</summary>
    public void BootAhead(int count)
    {
        for (var number = 0; number < count; number++)
        {
            _ahead.Enqueue(BootAsync(DefaultSize));
        }
    }

    /// <summary>A node that nobody else has, and that has booted.</summary>
    /// <param name="size">The size of its disk, as tmpfs understands it.</param>
    public Task<BedNode> AddNodeAsync(string size = DefaultSize)
    {
        if (size != DefaultSize || !_ahead.TryDequeue(out var booting))
        {
            return BootAsync(size);
        }

        BootAhead(1);
        return booting;
    }

    private async Task<BedNode> BootAsync(string size)
    {
        var number = Interlocked.Increment(ref _nodes);
        var node = new BedNode(this, $"n{number}", $"{Subnet}.{10 + number}", string.Create(CultureInfo.InvariantCulture, $"{Subnet6}::{10 + number}"), size);
        await node.PowerOnAsync();
        return node;
    }

    /// <summary>Starts several nodes at once.</summary>
    public Task<BedNode[]> AddNodesAsync(int count) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => AddNodeAsync()));

    /// <summary>Ends all nodes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_init != 0)
        {
            using var init = Process.GetProcessById(_init);
            init.Kill();
            await UntilAsync(() => Task.FromResult(!System.IO.Directory.Exists(Directory)), "the bed has ended");
        }

        await _services.DisposeAsync();
    }

    /// <summary>A command that runs on the bed's own machine room.</summary>
    internal Command Inside(params string[] arguments) =>
        new("nsenter", ["--target", _init.ToString(CultureInfo.InvariantCulture), "--mount", "--pid", "--net", "bash", Script, .. arguments]) { Environment = _environment };

    /// <summary>A path inside the bed, as this machine sees it.</summary>
    internal string PathInside(string path) => $"/proc/{_init}/root{path}";

    internal async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > StartLimit)
            {
                throw new TimeoutException($"after {StartLimit.TotalSeconds} s it is not so that {what}\n{Logs()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    private async Task StartAsync(int owner)
    {
        var keeper = Runner.StartDetached(
            new Command("bash", Script, "keep", owner.ToString(CultureInfo.InvariantCulture)) { Environment = _environment },
            Path.Combine(Directory, "bed.log"));
        var started = Path.Combine(Directory, "init");
        await UntilAsync(() => Task.FromResult(File.Exists(started) || !System.IO.Directory.Exists($"/proc/{keeper}")), "the bed has started");
        _init = int.Parse(await File.ReadAllTextAsync(started), CultureInfo.InvariantCulture);
    }

    private string Logs() =>
        System.IO.Directory.Exists(Directory)
            ? string.Join('\n', System.IO.Directory.EnumerateFiles(Directory, "*.log").Select(file => $"{Path.GetFileName(file)}:\n{File.ReadAllText(file)}"))
            : "";

    // Of 8192 networks, one that no bed has yet; where it starts to look differs from process to process.
    private static int FreeNetwork()
    {
        var taken = File.ReadLines("/proc/net/fib_trie").Select(line => line.Trim()).ToHashSet();
        return Enumerable.Range(Random.Shared.Next(8192), 8192)
            .Select(number => number % 8192)
            .First(number => !taken.Contains($"|-- 10.{213 + (number >> 8)}.{number & 0xFF}.1"));
    }

    private sealed class ToLog(Action<string>? log) : IReporter
    {
        public void Report(RunEvent runEvent) => log?.Invoke(runEvent.ToString() ?? "");
    }
}
