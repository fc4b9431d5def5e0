using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Reporting;

namespace Cake.K3s.Hardening.Nodes.SecretsEncryption;

/// <summary>
/// Encrypts Secrets in etcd, on a cluster that runs. The order is that of K3s' pull request 13370; where each server stands is read from it,
/// or from marks on its disk, so that a run that was cut off is gone on with and no step is done twice.
/// </summary>
[ProvedBy("test nodes with systemd and sshd", "K3s: a stand-in for its commands and restarts")]
internal sealed class SecretsEncryptionControl(PipelineRun run, NodeFleet fleet, IReporter reporter, TimeProvider time) : IControl, IFactSource
{
    private const string SettingsFile = K3sServer.Settings + "/90-cake-k3s-secrets-encryption.yaml";
    private const string Configuration = "/var/lib/rancher/k3s/server/cred/encryption-config.json";
    private const string Marks = ChangeScripts.Root + "/secrets-encryption";
    private const string Snapshots = "/var/lib/rancher/k3s/server/db/snapshots";

    // About five Secrets a second are encrypted anew.
    private static readonly TimeSpan RotationLimit = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan WholeLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    private readonly ClusterHealth _cluster = new(fleet);

    /// <inheritdoc cref="IControl.Name"/>
    public string Name => "SecretsEncryption";

    /// <inheritdoc/>
    public string Protects => "Whoever gets hold of a server's disk, or of a snapshot of etcd, reads every Secret of the cluster.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Node;

    /// <inheritdoc/>
    public string FactScript => $"""
        {K3sServer.Facts}
        [ -e /etc/systemd/system/k3s.service ] && printf 'version=%s\n' "$(k3s --version | head -n 1)"
        grep -hsE '^secrets-encryption:' /etc/rancher/k3s/config.yaml {K3sServer.Settings}/*.yaml | tail -n 1 | sed 's/.*: */flag=/'
        if [ -e {Configuration} ]; then
            printf 'first=%s\n' "$(tr -d ' \n' <{Configuration} | sed -E 's/.*"providers":\[[^"]*"([a-z]+)".*/\1/')"
            printf 'hash=%s\n' "$(sha256sum <{Configuration} | cut -d' ' -f1)"
        fi
        for mark in {Marks}/*; do [ -e "$mark" ] && printf 'mark=%s\n' "$(basename "$mark")"; done
        """;

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        var all = await Task.WhenAll(fleet.Nodes.Select(node => ReadAsync(node, cancellationToken)));
        var hashes = all.Where(node => node.Facts is not null && IsServer(node.Facts)).Select(node => node.Facts!.Value(Name, "hash")).Distinct().Count();
        return [.. all.Select(node => node.Facts is { } facts ? Judge(facts, hashes) : node.Failure!)];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        var servers = await ServersAsync(cancellationToken);
        RequireVersion(servers);
        return servers.All(server => IsDone(server.Facts))
            ? []
            : [.. servers.Select((server, number) => new PlannedChange(
                server.Node.Name,
                number == 0 ? "copy a snapshot and the token off, enable encryption, restart k3s, encrypt all Secrets anew, restart k3s" : "set secrets-encryption, restart k3s twice"))];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        var planned = await PlanAsync(cancellationToken);
        if (planned.IsEmpty)
        {
            return [];
        }

        var servers = (await ServersAsync(cancellationToken)).Select(server => server.Node).ToList();
        var first = servers[0];
        var status = await StatusAsync(first, cancellationToken);
        if (status is { Enabled: false, Stage: "" or "start" or "reencrypt_finished" })
        {
            await CopyOffAsync(first, cancellationToken);
            await first.RunAsync("enable the encryption of Secrets", $"""
                mkdir -p {Marks}
                # A second time it ends in an error, and the first may have written the configuration before it was cut off.
                [ -e {Configuration} ] || k3s secrets-encrypt enable
                """, cancellationToken);
            foreach (var server in servers)
            {
                await SetFlagAsync(server, cancellationToken);
            }

            foreach (var server in servers)
            {
                await RestartAsync(server, "configured", cancellationToken);
            }

            status = await StatusAsync(first, cancellationToken);
            // The stage is that of an earlier rotation where encryption was enabled and disabled before.
            Require(first, status is { Enabled: false, Stage: "start" or "reencrypt_finished", HashesMatch: true }, status, "no key is made before all servers have the same configuration");
            reporter.Step(Name, "all servers have the same configuration; encrypting all Secrets anew");
            await first.RunAsync("rotate the keys", "k3s secrets-encrypt rotate-keys", cancellationToken);
        }

        await UntilEncryptedAsync(first, cancellationToken);
        foreach (var server in servers)
        {
            await RestartAsync(server, "encrypted", cancellationToken);
        }

        status = await StatusAsync(first, cancellationToken);
        Require(first, status is { Enabled: true, HashesMatch: true }, status, "the servers do not agree after their restart");
        foreach (var server in servers)
        {
            await server.RunAsync("remove the marks of a finished change", $"rm -rf {Marks}", cancellationToken);
            server.Forget();
        }

        return planned;
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var (node, _) in await ServersAsync(cancellationToken))
        {
            var status = await StatusAsync(node, cancellationToken);
            var proof = await node.TryRunAsync($"(\n{ProofScript}\n) || exit 1", cancellationToken);
            ImmutableArray<string> seen = [.. (proof.Output + proof.Errors).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
            findings.Add((status, proof.ExitCode) switch
            {
                ({ Enabled: true, HashesMatch: true }, 0) => new Finding(Name, node.Name, ControlState.InPlace, "a new Secret is encrypted in etcd", seen),
                (_, 0) => new Finding(Name, node.Name, ControlState.Drifted, "the servers' configurations differ", seen),
                _ => new Finding(Name, node.Name, ControlState.Drifted, seen.LastOrDefault("a new Secret could not be looked at in etcd"), seen),
            });
        }

        return findings.ToImmutable();
    }

    /// <summary>Decrypts all Secrets. The setting stays: a server without it could not join the others, and it does nothing by itself.</summary>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var servers = await ServersAsync(cancellationToken);
        if (servers.All(server => server.Facts.Value(Name, "first") is "" or "identity") && servers.All(server => !Has(server.Facts, "decrypting")))
        {
            return [];
        }

        var first = servers[0].Node;
        await CopyOffAsync(first, cancellationToken);
        await first.RunAsync("disable the encryption of Secrets", $"mkdir -p {Marks}; [ -e {Marks}/decrypting ] || k3s secrets-encrypt disable; : >{Marks}/decrypting", cancellationToken);
        foreach (var (node, _) in servers)
        {
            await RestartAsync(node, "disabled", cancellationToken);
        }

        await first.RunAsync("decrypt all Secrets", "k3s secrets-encrypt reencrypt --force --skip", cancellationToken);
        foreach (var (node, _) in servers.Reverse())
        {
            await node.RunAsync("remove the marks of a finished change", $"rm -rf {Marks}", cancellationToken);
            node.Forget();
        }

        return [.. servers.Select(server => new PlannedChange(server.Node.Name, "decrypt all Secrets, restart k3s"))];
    }

    private const string ProofScript = $$"""
        set -eu
        name=cake-k3s-canary-$$ mark=$(tr -dc a-z0-9 </dev/urandom | head -c 32)
        clean() { k3s kubectl delete secret "$name" -n kube-system >/dev/null 2>&1 || :; rm -f {{Snapshots}}/"$name"*; }
        trap clean EXIT
        k3s kubectl create secret generic "$name" -n kube-system "--from-literal=canary=$mark" >/dev/null
        k3s etcd-snapshot save --name "$name" >/dev/null
        snapshot=$(ls {{Snapshots}}/"$name"* | head -n 1)
        [ -s "$snapshot" ] || { echo 'there is no snapshot of etcd to look at' >&2; exit 1; }
        if LC_ALL=C grep -aqF "$mark" "$snapshot"; then echo 'a new Secret is readable in etcd' >&2; exit 1; fi
        tr '\000\012' '  ' <"$snapshot" | LC_ALL=C grep -aoE "$name.{0,64}k8s:enc:[a-z]+:v[0-9]+:" | LC_ALL=C tr -cd 'a-z0-9:\n' | head -n 1 | grep . \
            || { echo 'a new Secret is not in etcd as an encrypted value' >&2; exit 1; }
        """;

    private Finding Judge(NodeFacts facts, int hashes)
    {
        Finding Found(ControlState state, string summary) => new(Name, facts.Node, state, summary, []);
        return !IsServer(facts) ? Found(ControlState.NotApplicable, "the node is no server of K3s")
            : facts.Values(Name, "mark").Any() ? Found(ControlState.Unfinished, "a change was cut off; applying it again goes on with it")
            : !IsDone(facts) ? Found(ControlState.Missing, "Secrets are not encrypted in etcd")
            : hashes > 1 ? Found(ControlState.Drifted, "the servers' configurations of encryption differ")
            : Found(ControlState.InPlace, "Secrets are encrypted in etcd");
    }

    private bool IsServer(NodeFacts facts) => facts.Value(Name, "server") == "yes";

    private bool Has(NodeFacts facts, string mark) => facts.Values(Name, "mark").Contains(mark);

    private bool IsDone(NodeFacts facts) =>
        facts.Value(Name, "flag") == "true" && facts.Value(Name, "first") is not ("" or "identity") && !facts.Values(Name, "mark").Any();

    private async Task<(Node Node, NodeFacts? Facts, Finding? Failure)> ReadAsync(Node node, CancellationToken cancellationToken)
    {
        try
        {
            return (node, await node.FactsAsync(cancellationToken), null);
        }
        catch (NodeException failure)
        {
            return (node, null, new Finding(Name, node.Name, ControlState.Unknown, failure.Summary, [.. failure.Details]));
        }
    }

    // All of them, always in this order: one that is left out would come back with another configuration.
    private async Task<ImmutableArray<(Node Node, NodeFacts Facts)>> ServersAsync(CancellationToken cancellationToken)
    {
        if (!run.Options.Nodes.IsEmpty)
        {
            throw new K3sException(ExitCodes.BadInput, $"{Name} is done on all servers together, and --nodes names some", "Leave --nodes out.");
        }

        var facts = await Task.WhenAll(fleet.Nodes.Select(async node => (node, await node.FactsAsync(cancellationToken))));
        return [.. facts.Where(node => IsServer(node.Item2))];
    }

    private void RequireVersion(IEnumerable<(Node Node, NodeFacts Facts)> servers)
    {
        foreach (var (node, facts) in servers)
        {
            if (facts.Value(Name, "version") is var version && !K3sVersion.CanEncryptRunning(version))
            {
                throw new NodeException(
                    node.Name,
                    $"{Name}: node {node.Name} has {version}, and a running cluster can be encrypted safely from v1.34.6+k3s1 on",
                    "Upgrade K3s first, all servers to the same version.");
            }
        }
    }

    private static async Task<EncryptionStatus> StatusAsync(Node node, CancellationToken cancellationToken) =>
        EncryptionStatus.Parse(await node.RunAsync("read the state of encryption", "k3s secrets-encrypt status", cancellationToken));

    private static void Require(Node node, bool condition, EncryptionStatus status, string otherwise)
    {
        if (!condition)
        {
            throw new NodeException(
                node.Name,
                $"node {node.Name}: {otherwise}: encryption is {(status.Enabled ? "enabled" : "disabled")}, stage '{status.Stage}', hashes {(status.HashesMatch ? "match" : "differ")}",
                "Look at k3s secrets-encrypt status on each server; once they agree, run it again.");
        }
    }

    private static Task SetFlagAsync(Node node, CancellationToken cancellationToken) => node.RunAsync(
        "set secrets-encryption",
        $"""
        umask 077
        mkdir -p {Marks} {K3sServer.Settings}
        printf '# Made by Cake.K3s: all servers must have it, or none.\nsecrets-encryption: true\n' >{SettingsFile}.new
        mv -f {SettingsFile}.new {SettingsFile}
        """,
        cancellationToken);

    // The mark is made when the cluster is whole again: a restart too many does no harm, one too few does.
    private async Task RestartAsync(Node node, string mark, CancellationToken cancellationToken)
    {
        if ((await node.TryRunAsync($"[ -e {Marks}/{mark} ] || exit 1", cancellationToken)).ExitCode == 0)
        {
            return;
        }

        await _cluster.RequireWithoutAsync(node, cancellationToken);
        await node.RunAsync("restart k3s", $"set -eu\n{K3sServer.Restart}", cancellationToken);
        await _cluster.UntilWholeAsync(node, WholeLimit, cancellationToken);
        await node.RunAsync("mark the restart", $"mkdir -p {Marks}; : >{Marks}/{mark}", cancellationToken);
        reporter.Step(Name, $"{node.Name}: k3s restarted and ready");
    }

    private async Task UntilEncryptedAsync(Node node, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (await StatusAsync(node, cancellationToken) is var status && status is not { Enabled: true, Stage: "reencrypt_finished" })
        {
            Require(node, time.GetElapsedTime(start) < RotationLimit, status, "not all Secrets were encrypted anew in time");
            await Task.Delay(BetweenLooks, time, cancellationToken);
        }
    }

    // Without them a rotation that goes wrong leaves Secrets that nobody can read.
    private async Task CopyOffAsync(Node node, CancellationToken cancellationToken)
    {
        var output = await node.RunAsync(
            "take a snapshot of etcd",
            $"""
            set -eu
            k3s etcd-snapshot save --name cake-k3s-before >/dev/null
            snapshot=$(ls -t {Snapshots}/cake-k3s-before* | head -n 1)
            [ -s "$snapshot" ]
            sha256sum <"$snapshot" | cut -d' ' -f1
            base64 -w0 "$snapshot"
            echo
            base64 -w0 /var/lib/rancher/k3s/server/token
            """,
            cancellationToken);
        var lines = output.Split('\n');
        var snapshot = Convert.FromBase64String(lines[1]);
        if (!Convert.ToHexStringLower(SHA256.HashData(snapshot)).Equals(lines[0], StringComparison.Ordinal))
        {
            throw new NodeException(node.Name, $"node {node.Name}: the copy of the snapshot is not what it was there", "Run it again.");
        }

        var directory = Path.Combine(run.Options.ArtifactsDirectory, "etcd", time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        await WriteOwnAsync(Path.Combine(directory, "snapshot"), snapshot, cancellationToken);
        await WriteOwnAsync(Path.Combine(directory, "token"), Convert.FromBase64String(lines[2]), cancellationToken);
        reporter.Step(Name, $"snapshot of etcd ({snapshot.Length / 1000} kB) and the cluster's token are in {directory}: keep them off this machine until all is proved");
    }

    private static async Task WriteOwnAsync(string file, byte[] content, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var stream = new FileStream(file, options);
        await stream.WriteAsync(content, cancellationToken);
    }
}
