using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.Versioning;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Tools;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Cake.K3s.IntegrationTests.Sandbox;

/// <summary>What is left of a sandbox on the machine after its end: nothing.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
internal sealed class SandboxRemovalTests
{
    [SetUp]
    public void Require() => TestSandbox.Require();

    [Test]
    public async Task Should_LeaveNothing_When_ItIsTakenDownWithAContainerRunning()
    {
        await using var sandbox = new TestSandbox();
        await sandbox.OpenAsync();
        await RunContainerAsync(sandbox);
        var subnet = IPNetwork.Parse(SandboxState.Read(sandbox.Directories)!.EngineSubnet);
        Assert.That(ControlGroupsOf(sandbox), Is.Not.Empty, "the container runs in the sandbox's control group");

        await sandbox.RemoveAsync(purge: false);

        await AssertNothingIsLeftAsync(sandbox, subnet);
        Assert.That(Directory.Exists(sandbox.Directories.RegistryData), Is.True, "data stay without purge");
    }

    [Test]
    public async Task Should_LeaveNothing_When_DaemonAndEngineWereKilledBefore()
    {
        await using var sandbox = new TestSandbox();
        await sandbox.OpenAsync();
        await RunContainerAsync(sandbox);
        var subnet = IPNetwork.Parse(SandboxState.Read(sandbox.Directories)!.EngineSubnet);
        ProcessTable.Send(sandbox.ProcessOf("daemon")!.Value, Signal.Kill);
        ProcessTable.Send(sandbox.ProcessOf("engine")!.Value, Signal.Kill);

        await sandbox.RemoveAsync(purge: true);

        await AssertNothingIsLeftAsync(sandbox, subnet);
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
        var subnet = IPNetwork.Parse(SandboxState.Read(sandbox.Directories)!.EngineSubnet);

        ProcessTable.Send(owner, Signal.Kill);
        await TestSandbox.UntilAsync(() => sandbox.ProcessOf("daemon") is null, TimeSpan.FromSeconds(60));

        await AssertNothingIsLeftAsync(sandbox, subnet);
        Assert.That(Directory.Exists(sandbox.Directories.Root), Is.False);
        File.Delete(log);
    }

    // In a network of its own: its bridge and rules are to go as well.
    private static async Task RunContainerAsync(TestSandbox sandbox)
    {
        var image = await sandbox.BaseImageAsync("redis");
        using var docker = new DockerClientBuilder().WithEndpoint(new Uri("unix://" + sandbox.Directories.EngineSocket)).Build();
        await docker.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = image }, null, new Progress<JSONMessage>());
        var network = await docker.Networks.CreateNetworkAsync(new NetworksCreateParameters { Name = "others" });
        var container = await docker.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Image = image,
            HostConfig = new HostConfig
            {
                NetworkMode = network.ID,
                PortBindings = new Dictionary<string, IList<PortBinding>> { ["6379/tcp"] = [new PortBinding { HostIP = "127.0.0.1" }] },
            },
            ExposedPorts = new Dictionary<string, EmptyStruct> { ["6379/tcp"] = default },
        });
        Assert.That(await docker.Containers.StartContainerAsync(container.ID, new ContainerStartParameters()), Is.True);
    }

    private static async Task AssertNothingIsLeftAsync(TestSandbox sandbox, IPNetwork subnet)
    {
        var directory = sandbox.Directories;
        var processes = ProcessTable.All()
            .Select(process => string.Join(' ', process.Arguments))
            .Where(line => line.Contains(directory.Root) || line.Contains(directory.Runtime));
        var interfaces = NetworkInterface.GetAllNetworkInterfaces()
            .Where(network => network.Name == directory.Bridge
                || network.GetIPProperties().UnicastAddresses.Any(address => subnet.Contains(address.Address)))
            .Select(network => network.Name);
        Assert.That(processes, Is.Empty);
        Assert.That(interfaces, Is.Empty);
        Assert.That(File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(directory.Root) || line.Contains(directory.Runtime)), Is.Empty);
        Assert.That(ControlGroupsOf(sandbox), Is.Empty);
        Assert.That(FreeSubnet.RoutesOf(File.ReadLines("/proc/net/route")).Where(route => subnet.Contains(route.BaseAddress)), Is.Empty);
        Assert.That(await FirewallRulesAsync(sandbox), Has.None.Contains(directory.Bridge).And.None.Contains(subnet.ToString()[..^4]));
        Assert.That(Directory.Exists(directory.Runtime), Is.False);
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
