using System.Collections.Immutable;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Nodes.Ssh;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Nodes;

/// <summary>One node, reached over SSH as root. Scripts are POSIX shell and travel over standard input.</summary>
internal sealed class Node
{
    private static readonly ImmutableArray<int> AnyExitCode = [.. Enumerable.Range(0, 256)];
    private static readonly TimeSpan LoginLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BetweenLogins = TimeSpan.FromMilliseconds(200);

    private readonly ICommandRunner _runner;
    private readonly TimeProvider _time;
    private readonly SshFiles _files;
    private readonly Func<IEnumerable<IFactSource>> _sources;
    private readonly ImmutableArray<int?> _ports;
    private readonly Lock _reading = new();
    private SshTarget _target;
    private Task<NodeFacts>? _facts;

    /// <summary>Makes a node; connects to nothing.</summary>
    /// <param name="name">Its name in Kubernetes.</param>
    /// <param name="target">Where it is reached first.</param>
    /// <param name="otherPorts">Where it is looked for when it does not answer there.</param>
    /// <param name="files">The SSH client's files.</param>
    /// <param name="sources">Whose facts are read.</param>
    /// <param name="runner">Runs the SSH client.</param>
    /// <param name="time">For waiting.</param>
    public Node(
        string name,
        SshTarget target,
        IEnumerable<int> otherPorts,
        SshFiles files,
        Func<IEnumerable<IFactSource>> sources,
        ICommandRunner runner,
        TimeProvider time)
    {
        Name = name;
        _target = target;
        _ports = [target.Port, .. otherPorts.Where(port => port != target.Port).Select(port => (int?)port)];
        _files = files;
        _sources = sources;
        _runner = runner;
        _time = time;
    }

    /// <summary>Its name in Kubernetes.</summary>
    public string Name { get; }

    /// <summary>Host name or address, or an alias from the SSH configuration.</summary>
    public string Host => _target.Host;

    /// <summary>The facts of all controls, read in one round trip and kept until <see cref="Forget"/>.</summary>
    /// <exception cref="NodeException">They cannot be read.</exception>
    public Task<NodeFacts> FactsAsync(CancellationToken cancellationToken)
    {
        lock (_reading)
        {
            return _facts ??= ReadFactsAsync(cancellationToken);
        }
    }

    /// <summary>Forgets the facts, because something was changed.</summary>
    public void Forget()
    {
        lock (_reading)
        {
            _facts = null;
        }
    }

    /// <summary>Reaches the node at this port from now on.</summary>
    public void UsePort(int port) => _target = _target with { Port = port };

    /// <summary>Runs a script to its end.</summary>
    /// <param name="purpose">What it is for, as in "could not ...".</param>
    /// <param name="script">POSIX shell; its arguments are those of SSH_CONNECTION.</param>
    /// <param name="cancellationToken">Ends the client; the script may go on.</param>
    /// <returns>Its standard output.</returns>
    /// <exception cref="NodeException">It failed, or the node cannot be reached.</exception>
    public async Task<string> RunAsync(string purpose, string script, CancellationToken cancellationToken)
    {
        var result = await TryRunAsync(script, cancellationToken);
        return result.ExitCode == 0 ? result.Output : throw Failure($"could not {purpose}", result);
    }

    /// <summary>Runs a script to its end, whatever its exit code.</summary>
    /// <exception cref="NodeException">The node cannot be reached, or the connection ended before the script did.</exception>
    public async Task<NodeResult> TryRunAsync(string script, CancellationToken cancellationToken)
    {
        var errors = "";
        foreach (var port in _ports.Prepend(_target.Port).Distinct())
        {
            var target = _target with { Port = port };
            var result = await ConnectAsync(target, script, SshLogin.Persistent, cancellationToken);

            // The persistent connection may be one that the node does not know any more, as after a reboot.
            if (result is { ExitCode: 255 } && !HasBegun(result) && _files.ControlDirectory is not null && SshFailure.IsNetwork(result.Errors))
            {
                result = await ConnectAsync(target, script, SshLogin.Separate, cancellationToken);
            }

            if (HasBegun(result))
            {
                _target = target;
                return Ended(result);
            }

            errors = result.Errors;
            if (!SshFailure.IsNetwork(errors))
            {
                throw SshFailure.Of(Name, target, _files.KnownHosts, errors);
            }
        }

        throw SshFailure.Of(Name, _target, _files.KnownHosts, errors);
    }

    /// <summary>Proves that a new login works, at the present port or another; waits for a server that is just restarting.</summary>
    /// <exception cref="NodeException">None worked within 15 s.</exception>
    public Task ProveLoginAsync(int? port, CancellationToken cancellationToken) => RunInNewLoginAsync(port, ":", cancellationToken);

    /// <summary>
    /// Runs a script in a new login, at the present port or another, which is used from then on: that the script has begun proves that the
    /// login works. Waits for a server that is just restarting.
    /// </summary>
    /// <exception cref="NodeException">No login worked within 15 s, or the connection ended before the script did.</exception>
    public async Task<NodeResult> RunInNewLoginAsync(int? port, string script, CancellationToken cancellationToken)
    {
        var target = _target with { Port = port ?? _target.Port };
        var start = _time.GetTimestamp();
        while (true)
        {
            var result = await ConnectAsync(target, script, SshLogin.Next, cancellationToken);
            if (HasBegun(result))
            {
                return Ended(result);
            }

            if (_time.GetElapsedTime(start) > LoginLimit)
            {
                throw SshFailure.Of(Name, target, _files.KnownHosts, result.Errors);
            }

            await Task.Delay(BetweenLogins, _time, cancellationToken);
        }
    }

    /// <summary>Tries a login of its own with other settings of the client, which is expected to be refused.</summary>
    /// <param name="settings">Settings such as <c>PreferredAuthentications=none</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What the client wrote; empty where the login worked.</returns>
    public async Task<string> TryLoginAsync(ImmutableArray<string> settings, CancellationToken cancellationToken)
    {
        var result = await ConnectAsync(_target, "", SshLogin.New, cancellationToken, settings);
        return HasBegun(result) ? "" : result.Errors.Trim();
    }

    /// <summary>The failure of a script that ended.</summary>
    public NodeException Failure(string what, NodeResult result, string nextStep = "Run it again when that is mended; --nodes leaves a node out.")
    {
        // The client says so where another connection was kept before this one; it is no reason.
        var lines = result.Errors.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith("ControlSocket ", StringComparison.Ordinal))
            .ToArray();
        var reason = lines.LastOrDefault() is { } last ? ": " + last : "";
        return new NodeException(Name, $"node {Name}: {what}{reason}", nextStep, lines.Length > 1 ? lines : []);
    }

    private async Task<NodeFacts> ReadFactsAsync(CancellationToken cancellationToken) =>
        FactScript.Read(Name, await RunAsync("read its facts", FactScript.Of([.. _sources()]), cancellationToken));

    private NodeResult Ended(NodeResult result) => result.ExitCode == 255
        ? throw new NodeException(Name, $"node {Name}: the connection was cut while a script ran", "Run it again: it takes back what was not proved, and goes on.") { IsCutOff = true }
        : result with { Output = result.Output[(result.Output.IndexOf('\n', StringComparison.Ordinal) + 1)..] };

    private static bool HasBegun(NodeResult result) => result.Output.StartsWith(SshArguments.Began, StringComparison.Ordinal);

    private async Task<NodeResult> ConnectAsync(SshTarget target, string script, SshLogin login, CancellationToken cancellationToken, ImmutableArray<string> settings = default)
    {
        var command = new Command("ssh", SshArguments.Shell(target, _files, login, settings.IsDefault ? [] : settings))
        {
            StandardInput = new Secret($"echo {SshArguments.Began}\n" + ShellText.Whole(script)),
            AcceptedExitCodes = AnyExitCode,

            // What nodes print may contain anything; it is masked where it is shown.
            OutputIsSecret = true,
            Purpose = $"reach node {Name}",
            NextStep = "Install the OpenSSH client (package openssh-client).",
        };
        var result = await _runner.RunAsync(command, cancellationToken);
        return new NodeResult(result.ExitCode, result.SecretOutput!.Reveal(), result.StandardError);
    }
}
