using System.Collections.Immutable;
using System.Text;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.Files;

/// <summary>A control that is files of its own, and a way to make them effective.</summary>
internal abstract class FilesControl(PipelineRun run, NodeFleet fleet) : NodeControl(run, fleet)
{
    /// <summary>The files as they should be.</summary>
    protected abstract ImmutableArray<NodeFile> Wanted { get; }

    /// <summary>POSIX shell that prints what else is looked at, as <c>KEY=</c> lines.</summary>
    protected abstract string OtherFacts { get; }

    /// <summary>POSIX shell that makes the files effective.</summary>
    protected abstract string Activate { get; }

    /// <summary>Further files that <see cref="Activate"/> changes.</summary>
    protected virtual ImmutableArray<string> Touches => [];

    /// <summary>What the change does, in one line.</summary>
    protected abstract string Description { get; }

    /// <summary>What an audit says where all is in place.</summary>
    protected abstract string InPlace { get; }

    /// <summary>Why the control does not concern a node; null where it does.</summary>
    protected virtual string? NotApplicable(NodeFacts facts) => null;

    /// <summary>What is not effective though the files are there; null where all is.</summary>
    protected abstract string? NotEffective(NodeFacts facts);

    /// <summary>Fails where the control cannot be applied.</summary>
    protected virtual void Require(NodeFacts facts)
    {
    }

    /// <inheritdoc/>
    public override string FactScript => string.Join('\n',
    [
        .. Wanted.Select(file => $"[ -e {file.Path} ] && printf 'file={file.Path} %s\\n' \"$(base64 -w0 {file.Path})\""),
        OtherFacts,
    ]);

    /// <inheritdoc/>
    protected override NodeVerdict Judge(NodeFacts facts)
    {
        if (NotApplicable(facts) is { } why)
        {
            return new NodeVerdict(ControlState.NotApplicable, why);
        }

        var left = facts.Applied.Contains(Name) ? ControlState.Drifted : ControlState.Missing;
        return Differing(facts).FirstOrDefault() is { } file
            ? new NodeVerdict(left, $"{file.Path} is {(ContentOf(facts, file.Path) is null ? "missing" : "not as it should be")}")
            : NotEffective(facts) is { } problem ? new NodeVerdict(left, problem)
            : new NodeVerdict(ControlState.InPlace, InPlace);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts)
    {
        if (NotApplicable(facts) is not null || (!Differing(facts).Any() && NotEffective(facts) is null))
        {
            return [];
        }

        Require(facts);
        return [new NodeChange(Name, Description) { Files = Wanted, Touches = Touches, Apply = Activate, Restore = Restore }];
    }

    /// <summary>Proves the effect by a script that prints what it saw, and fails with what is wrong.</summary>
    protected static async Task<NodeVerdict> ProveByAsync(Node node, string script, string effect, CancellationToken cancellationToken)
    {
        // Its own exit code may be the one that says that the connection was cut.
        var result = await node.TryRunAsync($"(\nset -eu\n{script}\n) || exit 1", cancellationToken);
        ImmutableArray<string> seen = [.. (result.Output + result.Errors).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        return result.ExitCode == 0
            ? new NodeVerdict(ControlState.InPlace, effect, seen)
            : new NodeVerdict(ControlState.Drifted, seen.LastOrDefault("the proof failed and said nothing"), seen);
    }

    private IEnumerable<NodeFile> Differing(NodeFacts facts) => Wanted.Where(file => ContentOf(facts, file.Path) != file.Content);

    private string? ContentOf(NodeFacts facts, string path) =>
        facts.Values(Name, "file").Select(line => line.Split(' ', 2)).FirstOrDefault(parts => parts[0] == path) is { Length: 2 } found
            ? Encoding.UTF8.GetString(Convert.FromBase64String(found[1]))
            : null;
}
