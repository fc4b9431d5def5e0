using System.Collections.Immutable;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.SshPort;
using Cake.K3s.Hosting;
using Cake.K3s.NodeBed;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Somebody who hardens nodes of the bed, with a home and an SSH configuration of their own.</summary>
internal sealed class Operator : IDisposable
{
    private readonly TemporaryDirectory _home = new();
    private readonly List<IControl> _controls = [];

    public Operator(IEnumerable<BedNode> nodes, HardeningSettings? hardening = null, string user = "root", Func<ICommandRunner, ICommandRunner>? runner = null, BackupSettings? backup = null, params NodeSettings[] more)
    {
        SshConfig = _home.Write("ssh_config", $"Host *\n  IdentityFile {SharedBed.Bed.PrivateKeyFile}\n  IdentitiesOnly yes\n");
        var environment = new EnvironmentSettings
        {
            Name = "bed",
            Backup = backup,
            Hardening = (hardening ?? new HardeningSettings()) with { SshConfig = SshConfig },
            Nodes = [.. nodes.Select(node => new NodeSettings { Name = node.Name, Host = node.Address, User = user, Addresses = [node.Address, node.Address6] }), .. more],
        };
        var settings = new DeploySettings
        {
            App = "app",
            Images = ImmutableDictionary<string, ImageSettings>.Empty,
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty.Add("bed", environment),
            File = _home.Write("deploy.yaml", ""),
        };
        var options = new RunOptions { Root = _home.Path, SettingsFile = settings.File, Environment = "bed" };
        Run = new PipelineRun(options, settings, environment: null!);
        var variables = new EnvironmentVariables(name => name == "HOME" ? _home.Path : Environment.GetEnvironmentVariable(name));
        ICommandRunner real = new CommandRunner(new SecretMask(), TimeProvider.System);
        Fleet = new NodeFleet(Run, () => _controls.OfType<IFactSource>(), runner?.Invoke(real) ?? real, variables, TimeProvider.System);
        Files = new OperatorFiles(Run, variables, new Quiet());
    }

    public PipelineRun Run { get; }

    public NodeFleet Fleet { get; }

    public OperatorFiles Files { get; }

    public string SshConfig { get; }

    public string KnownHosts => _home.File("known_hosts");

    /// <summary>A control that this operator works with.</summary>
    public T Use<T>(Func<PipelineRun, NodeFleet, T> make)
        where T : IControl
    {
        var control = make(Run, Fleet);
        _controls.Add(control);
        return control;
    }

    public void Dispose() => _home.Dispose();

    private sealed class Quiet : IReporter
    {
        public void Report(RunEvent runEvent)
        {
        }
    }
}
