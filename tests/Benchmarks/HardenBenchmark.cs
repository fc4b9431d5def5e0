using Cake.K3s.Hardening.Nodes.Fail2Ban;
using Cake.K3s.Hardening.Nodes.SshPolicy;
using Cake.K3s.Hardening.Nodes.UnattendedUpgrades;
using Cake.K3s.NodeBed;

namespace Benchmarks;

/// <summary>
/// How long it takes to look at five nodes and to harden them, beside <c>ansible-playbook</c> doing the same steps on the same nodes, in the
/// same order of nodes and on all at once. The own commands arm an undo for each change and prove each control by its effect as well; the
/// playbook does not. Needs root on Debian, and python3 for Ansible.
/// </summary>
internal static class HardenBenchmark
{
    private const int Count = 5;

    // What a node was before, put back at its console.
    private const string Reset = """
        rm -f /etc/ssh/sshd_config.d/00-policy.conf /etc/ssh/sshd_config.d/00-port.conf /etc/fail2ban/jail.d/zz-jail.local
        rm -f /etc/apt/apt.conf.d/52cake-k3s /etc/needrestart/conf.d/cake-k3s.conf /etc/systemd/networkd.conf.d/cake-k3s.conf
        systemctl reload ssh
        systemctl stop fail2ban
        ufw --force reset >/dev/null
        rm -f /etc/ufw/*.rules.*
        """;

    // All that need no K3s and no internet; those that never ask apt for a package, and the one that does where its package is not there.
    private static readonly string[] AptFree = ["LegacyFirewallRules", "UnattendedUpgrades", "SshPort", "SshPolicy", "FirewallBaseline"];
    private static readonly string[] Controls = [.. AptFree, "Fail2Ban"];

    public static async Task<int> RunAsync(int rounds)
    {
        await using var bed = await Bed.StartAsync(RepositoryRoot.Find());
        var nodes = await bed.AddNodesAsync(Count);
        var folder = Directory.CreateTempSubdirectory("cake-k3s-bench-");
        try
        {
            Write(folder.FullName, bed, nodes);
            await using var services = LibraryServices.Build();
            var audit = new Measured("Audit of all controls", Host(folder.FullName, "--target=Audit"));
            var aptFree = Own(folder.FullName, "of the five controls without apt", AptFree);
            var all = Own(folder.FullName, "of these and Fail2Ban", Controls);
            var inOrder = await PlaybookAsync("in the same order of nodes");
            var atOnce = await PlaybookAsync("on all nodes at once", "--extra-vars=at_once=yes");
            await audit.RunAsync(folder.FullName, isWarmUp: true);
            for (var round = 0; round < rounds; round++)
            {
                foreach (var command in (Measured[])[audit, .. aptFree, .. all])
                {
                    await command.RunAsync(folder.FullName);
                }

                foreach (var playbook in (Measured[][])[inOrder, atOnce])
                {
                    WriteInventory(folder.FullName, bed, nodes, 22);
                    await playbook[0].RunAsync(folder.FullName);
                    WriteInventory(folder.FullName, bed, nodes, 2222);
                    await playbook[1].RunAsync(folder.FullName);
                    await Task.WhenAll(nodes.Select(node => node.RunAsync(Reset)));
                }
            }

            MarkdownTable.Write(
                [$"{Count} nodes", $"seconds, median of {rounds}"],
                ((Measured[])[audit, .. aptFree, .. all, .. inOrder, .. atOnce]).Select(row => (string[])[row.What, MarkdownTable.Seconds(row.Command.Median)]));
            return 0;

            async Task<Measured[]> PlaybookAsync(string what, params string[] arguments) =>
            [
                new($"ansible-playbook {what}, of the six", await Ansible.CommandAsync(services, folder.FullName, arguments)),
                new("again", await Ansible.CommandAsync(services, folder.FullName, arguments)),
            ];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Measured[] Own(string folder, string what, string[] controls)
    {
        string[] harden = ["--target=Harden", "--controls=" + string.Join(',', controls)];
        return
        [
            new($"Harden {what}", Host(folder, harden)),
            new("again", Host(folder, harden)),
            new("Undo of them", Host(folder, [.. controls.Reverse().Select(control => "--target=Undo-" + control)])),
        ];
    }

    private static TimedCommand Host(string folder, params string[] arguments) =>
        new("dotnet", [Path.Combine(RepositoryRoot.Find(), "build/Build/bin/Release/net10.0/Build.dll"), "--settings=" + Path.Combine(folder, "deploy.yaml"), .. arguments]);

    private static void Write(string folder, Bed bed, BedNode[] nodes)
    {
        File.WriteAllText(Path.Combine(folder, "ssh_config"), $"Host *\n  IdentityFile {bed.PrivateKeyFile}\n  IdentitiesOnly yes\n");
        File.WriteAllText(Path.Combine(folder, "deploy.yaml"), $$$"""
            app: app
            images: {api: {context: .}}
            defaultEnvironment: bed
            environments:
              bed:
                cluster: {kubeconfig: none}
                registry: {address: registry.example.com/app}
                hardening: {sshPort: 2222, sshConfig: ssh_config, operators: [{{{bed.OperatorAddress}}}]}
                nodes:
            {{{string.Concat(nodes.Select(node => $"      - {{name: {node.Name}, host: {node.Address}, user: root}}\n"))}}}
            """);
        File.Copy(Path.Combine(AppContext.BaseDirectory, "harden.yml"), Path.Combine(folder, "harden.yml"));
        File.WriteAllText(Path.Combine(folder, "00-policy.conf"), SshPolicyRules.File(SshPolicyRules.For(_ => [], forwarding: true)));
        File.WriteAllText(Path.Combine(folder, "zz-jail.local"), Fail2BanJail.File([22, 2222], [bed.OperatorAddress], nodes.Select(node => node.Address)));
        foreach (var file in UnattendedUpgradesControl.Files)
        {
            var copy = Path.Combine(folder, "files" + file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllText(copy, file.Content);
        }
    }

    private static void WriteInventory(string folder, Bed bed, BedNode[] nodes, int port) => File.WriteAllText(
        Path.Combine(folder, "inventory"),
        "[nodes]\n" + string.Concat(nodes.Select(node =>
            $"{node.Name} ansible_host={node.Address} ansible_port={port} ansible_user=root ansible_ssh_private_key_file={bed.PrivateKeyFile} ansible_python_interpreter=/usr/bin/python3 operator={bed.OperatorAddress}\n")));

    private sealed record Measured(string What, TimedCommand Command)
    {
        public Task RunAsync(string folder, bool isWarmUp = false) => Command.RunAsync(folder, isWarmUp);
    }
}
