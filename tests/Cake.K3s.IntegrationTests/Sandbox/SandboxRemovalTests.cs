using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Sandbox.Network;
using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Tools;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Cake.K3s.IntegrationTests.Sandbox;

/// <summary>What is left of a sandbox on the machine after its end: nothing.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
internal sealed class SandboxRemovalTests
{
    private const string Image = "test/pause:1";

    [SetUp]
    public void Require() => TestSandbox.Require();

    [Test]
    public async Task Should_LeaveNothing_When_ItIsTakenDownWithAContainerRunning()
    {
        await using var sandbox = new TestSandbox();
        await sandbox.OpenAsync();
        await RunContainerAsync(sandbox);
        var addresses = AddressesOf(sandbox);
        Assert.That(ControlGroupsOf(sandbox), Is.Not.Empty, "the container runs in the sandbox's control group");

        await sandbox.RemoveAsync(purge: false);

        await AssertNothingIsLeftAsync(sandbox, addresses);
        Assert.That(Directory.Exists(sandbox.Directories.RegistryData), Is.True, "data stay without purge");
    }

    [Test]
    public async Task Should_LeaveNothing_When_DaemonAndEngineWereKilledBefore()
    {
        await using var sandbox = new TestSandbox();
        await sandbox.OpenAsync();
        await RunContainerAsync(sandbox);
        var addresses = AddressesOf(sandbox);
        ProcessTable.Send(sandbox.ProcessOf("daemon")!.Value, Signal.Kill);
        ProcessTable.Send(sandbox.ProcessOf("engine")!.Value, Signal.Kill);

        await sandbox.RemoveAsync(purge: true);

        await AssertNothingIsLeftAsync(sandbox, addresses);
        Assert.That(Directory.Exists(sandbox.Directories.Root), Is.False);
    }

    [Test]
    public async Task Should_RemoveItself_When_ItsOwnerEnds()
    {
        var log = Path.GetTempFileName();
        var runner = new CommandRunner(new SecretMask(), TimeProvider.System);
        var owner = ProcessTable.Find(runner.StartDetached(new Command("sleep", "600"), log))!.Value;
        await using var sandbox = new TestSandbox(owner.Id);
        await sandbox.OpenAsync();
        var addresses = AddressesOf(sandbox);

        ProcessTable.Send(owner, Signal.Kill);
        await TestSandbox.UntilAsync(() => sandbox.ProcessOf("daemon") is null, TimeSpan.FromSeconds(60));

        await AssertNothingIsLeftAsync(sandbox, addresses);
        Assert.That(Directory.Exists(sandbox.Directories.Root), Is.False);
        File.Delete(log);
    }

    [Test]
    public async Task Should_RemoveItself_When_ItsDirectoryIsDeleted()
    {
        await using var sandbox = new TestSandbox();
        await sandbox.OpenAsync();
        var addresses = AddressesOf(sandbox);

        // Not all of it: the engine holds mounts in its part.
        File.Delete(sandbox.Directories.StateFile);
        File.Delete(sandbox.Directories.DaemonLock);
        await TestSandbox.UntilAsync(() => sandbox.ProcessOf("daemon") is null, TimeSpan.FromSeconds(60));

        await AssertNothingIsLeftAsync(sandbox, addresses);
    }

    [Test]
    public async Task Should_RemoveItsOwnContainersAlone_When_TheEngineWasThere()
    {
        // The engine of one sandbox is the one that was there for another.
        await using var host = new TestSandbox();
        var engine = (await host.OpenAsync()).DockerHost;
        await RunContainerAsync(host);
        await using var guest = new TestSandbox(dockerHost: engine);

        var opened = await guest.OpenAsync();
        using var docker = new DockerClientBuilder().WithEndpoint(new Uri(engine)).Build();
        var own = await docker.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Image = Image,
            Cmd = ["/pause"],
            Labels = new Dictionary<string, string> { ["cake-k3s.cluster"] = guest.Directories.Id },
        });
        await guest.RemoveAsync(purge: true);

        Assert.That(opened.DockerHost, Is.EqualTo(engine));
        Assert.That(guest.ProcessOf("engine"), Is.Null);
        var left = await docker.Containers.ListContainersAsync(new ContainersListParameters { All = true });
        Assert.That(left.Select(container => container.ID), Has.None.EqualTo(own.ID));
        Assert.That(left.Select(container => container.State), Has.Some.EqualTo("running"));
    }

    // In a network of its own: its bridge and rules are to go as well.
    private static async Task RunContainerAsync(TestSandbox sandbox)
    {
        using var docker = new DockerClientBuilder().WithEndpoint(new Uri("unix://" + sandbox.Directories.EngineSocket)).Build();
        var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
        await docker.Images.CreateImageAsync(
            new ImagesCreateParameters { FromSrc = "-", Repo = Image.Split(':')[0], Tag = Image.Split(':')[1] },
            await PauseImage.RootFileSystemAsync(architecture, CancellationToken.None),
            null,
            new Progress<JSONMessage>());
        var network = await docker.Networks.CreateNetworkAsync(new NetworksCreateParameters { Name = "others" });
        var container = await docker.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Image = Image,
            Cmd = ["/pause"],
            HostConfig = new HostConfig
            {
                NetworkMode = network.ID,
                PortBindings = new Dictionary<string, IList<PortBinding>> { ["6379/tcp"] = [new PortBinding { HostIP = "127.0.0.1" }] },
            },
            ExposedPorts = new Dictionary<string, EmptyStruct> { ["6379/tcp"] = default },
        });
        Assert.That(await docker.Containers.StartContainerAsync(container.ID, new ContainerStartParameters()), Is.True);
    }

    private static async Task AssertNothingIsLeftAsync(TestSandbox sandbox, IPNetwork[] addresses)
    {
        var directory = sandbox.Directories;
        var processes = ProcessTable.All()
            .Select(process => string.Join(' ', process.Arguments))
            .Where(line => line.Contains(directory.Root) || line.Contains(directory.Runtime));
        var interfaces = NetworkDevices.All()
            .Where(network => network.Name == directory.Bridge
                || network.GetIPProperties().UnicastAddresses.Any(address => addresses.Any(network => network.Contains(address.Address))))
            .Select(network => network.Name);
        Assert.That(processes, Is.Empty);
        Assert.That(interfaces, Is.Empty);
        Assert.That(File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(directory.Root) || line.Contains(directory.Runtime)), Is.Empty);
        Assert.That(ControlGroupsOf(sandbox), Is.Empty);
        var routes = FreeSubnet.InUse().Where(route => addresses.Any(network => network.Contains(route.BaseAddress))).ToList();
        var ofOthers = AddressesOfRunning().ToList();
        Assert.That(routes.Where(route => !ofOthers.Any(network => network.Contains(route.BaseAddress))), Is.Empty);
        Assert.That(await FirewallRulesAsync(sandbox), Has.None.Contains(directory.Bridge).And.None.Contains(addresses[0].ToString()[..^4]));
        Assert.That(Directory.Exists(directory.Runtime), Is.False);
    }

    private static IPNetwork[] AddressesOf(TestSandbox sandbox)
    {
        var state = SandboxState.Read(sandbox.Directories)!;
        return [IPNetwork.Parse(state.EngineSubnet), IPNetwork.Parse(state.ServiceSubnet)];
    }

    // Other sandboxes start all the time, and take what has become free.
    private static IEnumerable<IPNetwork> AddressesOfRunning()
    {
        const string Option = "--directory=";
        return ProcessTable.All()
            .SelectMany(process => process.Arguments)
            .Where(argument => argument.StartsWith(Option, StringComparison.Ordinal))
            .Select(argument => SandboxState.Read(new SandboxDirectory(argument[Option.Length..])))
            .OfType<SandboxState>()
            .SelectMany(state => (string[])[state.EngineSubnet, state.ServiceSubnet])
            .Where(network => network.Length > 0)
            .Select(IPNetwork.Parse);
    }

    private static IEnumerable<string> ControlGroupsOf(TestSandbox sandbox) =>
        ControlGroups.Hierarchies(File.ReadLines("/proc/self/mountinfo")).Select(place => place + sandbox.Directories.CgroupParent).Where(Directory.Exists);

    private static async Task<string[]> FirewallRulesAsync(TestSandbox sandbox)
    {
        var engine = await sandbox.Get<IToolbox>().RequireAsync(ToolName.Dockerd, "a test", CancellationToken.None);
        var iptables = Path.Combine(Path.GetDirectoryName(engine.Path)!, "iptables");
        var rules = new List<string>();
        foreach (var table in (string[])["filter", "nat"])
        {
            var command = new Command(iptables, "-w", "10", "-t", table, "-S") { Environment = engine.Environment };
            rules.AddRange((await sandbox.Get<ICommandRunner>().RunAsync(command, CancellationToken.None)).StandardOutput.Split('\n'));
        }

        return [.. rules];
    }
}
