using Cake.K3s.IntegrationTests.Pipeline;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>kill -9 of the compiled host while a change is armed on the node; the same command again finishes.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class KilledHardeningTests
{
    [Test]
    public async Task Should_finish_When_the_host_was_killed_while_SSH_moved()
    {
        var machine = await SharedBed.Bed.AddNodeAsync();
        using var home = new TemporaryDirectory();
        home.Write("ssh_config", $"Host *\n  IdentityFile {SharedBed.Bed.PrivateKeyFile}\n  IdentitiesOnly yes\n");
        home.Write("deploy.yaml", $$$"""
            app: app
            images: {api: {context: .}}
            defaultEnvironment: bed
            environments:
              bed:
                cluster: {kubeconfig: none}
                registry: {address: registry.example.com/app}
                hardening: {sshPort: 2222, sshConfig: ssh_config, undoAfter: 5s}
                nodes:
                  - {name: n1, host: {{{machine.Address}}}, port: 22, user: root} # where it is
            """);
        using (var killed = RunningHost.Start(home.Path, ["--target=Harden-SshPort"]))
        {
            await machine.RunAsync("until [ -e /var/lib/cake-k3s/armed ]; do sleep 0.01; done");
            killed.Kill();
            await killed.EndAsync();
        }

        using var again = RunningHost.Start(home.Path, ["--target=Harden-SshPort"]);
        var finished = await again.EndAsync();

        Assert.That(finished.ExitCode, Is.Zero, finished.Output);
        Assert.That(await machine.RunAsync("ss -Hltn | grep -c ':2222 '; ss -Hltn | grep -c ':22 '", 1), Is.EqualTo("2\n0"));
        Assert.That(await File.ReadAllTextAsync(home.File("deploy.yaml")), Does.EndWith("port: 2222, user: root} # where it is"));

        using var audit = RunningHost.Start(home.Path, ["--target=Audit", "--nodes=n1"]);
        Assert.That((await audit.EndAsync()).Output, Does.Match(@"SshPort +n1 +in place"));
    }
}
