using Cake.K3s.Hardening.Nodes.Fail2Ban;
using Cake.K3s.Hardening.Nodes.SshPolicy;
using Cake.K3s.NodeBed;

namespace Benchmarks;

/// <summary>
/// How long it takes to look at five nodes and to harden them, beside <c>ansible-playbook</c> doing the same steps on the same nodes.
/// The own commands prove each control by its effect as well; the playbook does not. Needs root on Debian, and python3 for Ansible.
/// </summary>
internal static class HardenBenchmark
{
    private const int Count = 5;

    // What a node was before, put back at its console.
    private const string Reset = """
        rm -f /etc/ssh/sshd_config.d/00-policy.conf /etc/ssh/sshd_config.d/00-port.conf /etc/fail2ban/jail.d/zz-jail.local
        systemctl reload ssh
        systemctl stop fail2ban
        """;

    public static async Task<int> RunAsync(int rounds)
    {
        await using var bed = await Bed.StartAsync(RepositoryRoot.Find());
        var nodes = await bed.AddNodesAsync(Count);
        var folder = Directory.CreateTempSubdirectory("cake-k3s-bench-");
        try
        {
            Write(folder.FullName, bed, nodes);
            await using var services = LibraryServices.Build();
            var audit = Host(folder.FullName, "--target=Audit");
            string[] controls = ["SshPolicy", "Fail2Ban", "SshPort"];
            string[] harden = [.. controls.Select(control => "--target=Harden-" + control), "--sequential"];
            var first = Host(folder.FullName, harden);
            var again = Host(folder.FullName, harden);
            string[] undo = [.. controls.Reverse().Select(control => "--target=Undo-" + control), "--sequential"];
            var taken = Host(folder.FullName, undo);

            // All that need no package, no K3s and no internet.
            string[] others = ["LegacyFirewallRules", "UnattendedUpgrades", "FirewallBaseline"];
            var all = Host(folder.FullName, [.. others.Select(control => "--target=Harden-" + control), .. harden]);
            var allAgain = Host(folder.FullName, [.. others.Select(control => "--target=Harden-" + control), .. harden]);
            var allTaken = Host(folder.FullName, [.. others.Reverse().Select(control => "--target=Undo-" + control), .. undo]);
            var ansibleFirst = await Ansible.CommandAsync(services, folder.FullName);
            var ansibleAgain = await Ansible.CommandAsync(services, folder.FullName);
            for (var round = 0; round < rounds; round++)
            {
                await audit.RunAsync(folder.FullName, isWarmUp: true);
                await audit.RunAsync(folder.FullName, isWarmUp: false);
                await first.RunAsync(folder.FullName, isWarmUp: false);
                await again.RunAsync(folder.FullName, isWarmUp: false);
                await taken.RunAsync(folder.FullName, isWarmUp: false);
                await all.RunAsync(folder.FullName, isWarmUp: false);
                await allAgain.RunAsync(folder.FullName, isWarmUp: false);
                await allTaken.RunAsync(folder.FullName, isWarmUp: false);

                WriteInventory(folder.FullName, bed, nodes, 22);
                await ansibleFirst.RunAsync(folder.FullName, isWarmUp: false);
                WriteInventory(folder.FullName, bed, nodes, 2222);
                await ansibleAgain.RunAsync(folder.FullName, isWarmUp: false);
                await Task.WhenAll(nodes.Select(node => node.RunAsync(Reset)));
            }

            (string What, TimedCommand Command)[] rows =
                [("Audit of all controls", audit), ("Harden", first), ("Harden again", again), ("Undo", taken), ("Harden of six controls", all), ("of six again", allAgain), ("Undo of six", allTaken), ("ansible-playbook", ansibleFirst), ("ansible-playbook again", ansibleAgain)];
            MarkdownTable.Write(
                [$"{Count} nodes", $"seconds, median of {rounds}"],
                rows.Select(row => (string[])[row.What, MarkdownTable.Seconds(row.Command.Median)]));
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
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
    }

    private static void WriteInventory(string folder, Bed bed, BedNode[] nodes, int port) => File.WriteAllText(
        Path.Combine(folder, "inventory"),
        "[nodes]\n" + string.Concat(nodes.Select(node =>
            $"{node.Name} ansible_host={node.Address} ansible_port={port} ansible_user=root ansible_ssh_private_key_file={bed.PrivateKeyFile} ansible_python_interpreter=/usr/bin/python3\n")));
}
