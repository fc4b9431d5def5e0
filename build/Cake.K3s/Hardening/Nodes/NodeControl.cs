using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Nodes;

/// <summary>
/// A control of each node's operating system. What is particular to one is which facts it reads, how it judges them, and which changes
/// follow from them - all three pure - and how its effect is proved.
/// </summary>
internal abstract class NodeControl(PipelineRun run, NodeFleet fleet) : IControl, IFactSource
{
    // The rest of the time is for the confirmation: a cluster that is not whole by then is told of before the node takes the change back.
    private const double ShareOfUndoTime = 0.75;

    private readonly ClusterHealth _cluster = new(fleet);

    /// <inheritdoc cref="IControl.Name"/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Protects { get; }

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Node;

    /// <inheritdoc/>
    public bool IsHarmless => !IsRisky;

    /// <inheritdoc/>
    public abstract string FactScript { get; }

    /// <inheritdoc/>
    public virtual ImmutableArray<string> SharedScripts => [];

    /// <summary>The environment's part of deploy.yaml.</summary>
    protected EnvironmentSettings Environment => run.EnvironmentSettings;

    /// <summary>What the controls aim at.</summary>
    protected HardeningSettings Settings => Environment.Hardening;

    /// <summary>Whether a change can take a node away: then one node follows the other, and stops at the first that fails.</summary>
    protected virtual bool IsRisky => true;

    /// <summary>
    /// Whether a risky change concerns operators' access alone and not the cluster: once the first node is done and proved, the others follow
    /// at the same time.
    /// </summary>
    protected virtual bool OthersFollowTheFirst => false;

    /// <summary>
    /// POSIX shell that makes the files effective after they were put back, e.g. restarts a service; run by
    /// <see cref="IControl.UndoAsync"/>, and part of no change by itself.
    /// </summary>
    protected abstract string Restore { get; }

    /// <summary>How the control stands, from the facts alone.</summary>
    protected abstract NodeVerdict Judge(NodeFacts facts);

    /// <summary>The changes that are left to make, in order; empty where all is in place.</summary>
    /// <exception cref="K3sException">It must not be made, e.g. because it would lock the operator out.</exception>
    protected abstract IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts);

    /// <summary>Proves the control by its effect on one node.</summary>
    protected abstract Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken);

    /// <summary>Called before the nodes are looked at, to get what is not read from them.</summary>
    /// <param name="changes">Whether changes will follow from it; reading must not ask the internet.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    protected virtual Task PrepareAsync(bool changes, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Called on a node after its changes were confirmed, e.g. to update files on this machine.</summary>
    protected virtual void OnApplied(Node node)
    {
    }

    /// <summary>Called on a node after the control was taken back.</summary>
    protected virtual void OnUndone(Node node)
    {
    }

    /// <inheritdoc/>
    public virtual async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        await PrepareForNodesAsync(changes: false, cancellationToken);
        return [.. await Task.WhenAll(fleet.Nodes.Select(node => AuditAsync(node, cancellationToken)))];
    }

    /// <inheritdoc/>
    public virtual async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        await PrepareForNodesAsync(changes: true, cancellationToken);
        var planned = await ForEachAsync(inParallel: true, async node => Planned(node, ChangesFor(await KnownAsync(node, cancellationToken))), cancellationToken);
        return [.. planned.SelectMany(changes => changes)];
    }

    /// <inheritdoc/>
    public virtual async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        await PrepareForNodesAsync(changes: true, cancellationToken);
        var applied = await ForEachAsync(!IsRisky, node => ApplyAsync(node, cancellationToken), cancellationToken);
        return [.. applied.SelectMany(changes => changes)];
    }

    /// <inheritdoc/>
    public virtual async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        await PrepareForNodesAsync(changes: false, cancellationToken);
        var found = await ForEachAsync(inParallel: true, async node =>
        {
            var facts = await KnownAsync(node, cancellationToken);
            var verdict = Judge(facts);
            return FindingOf(node, verdict.State == ControlState.InPlace ? await ProveAsync(node, facts, cancellationToken) : verdict);
        }, cancellationToken);
        return [.. found];
    }

    /// <inheritdoc/>
    public virtual async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var undone = await ForEachAsync(!IsRisky, node => UndoAsync(node, cancellationToken), cancellationToken);
        return [.. undone.OfType<PlannedChange>()];
    }

    // What is prepared may come from afar; without a node nobody wants it.
    private Task PrepareForNodesAsync(bool changes, CancellationToken cancellationToken) =>
        fleet.Nodes.IsEmpty ? Task.CompletedTask : PrepareAsync(changes, cancellationToken);

    private async Task<Finding> AuditAsync(Node node, CancellationToken cancellationToken)
    {
        try
        {
            var facts = await node.FactsAsync(cancellationToken);
            return FindingOf(node, (facts.Unfinished == Name, facts.IsDebianFamily) switch
            {
                (_, false) => new NodeVerdict(ControlState.Unknown, $"{facts.System} is not supported: Debian and Ubuntu are"),
                (true, _) => new NodeVerdict(ControlState.Unfinished, "a change was cut off; the node is about to take it back"),
                _ => Judge(facts),
            });
        }
        catch (NodeException failure)
        {
            return new Finding(Name, node.Name, ControlState.Unknown, failure.Summary, [.. failure.Details]);
        }
    }

    private async Task<ImmutableArray<PlannedChange>> ApplyAsync(Node node, CancellationToken cancellationToken)
    {
        var facts = await CleanAsync(node, cancellationToken);
        var changes = ChangesFor(facts);
        foreach (var change in changes)
        {
            await new NodeTransaction(node, Settings.UndoAfter.Value).ApplyAsync(await WatchedAsync(node, change, cancellationToken), cancellationToken);
        }

        OnApplied(node);
        return Planned(node, changes);
    }

    private async Task<PlannedChange?> UndoAsync(Node node, CancellationToken cancellationToken)
    {
        var facts = await CleanAsync(node, cancellationToken);
        if (!facts.Applied.Contains(Name))
        {
            return null;
        }

        var change = await UndoOfAsync(node, facts, cancellationToken);
        await new NodeTransaction(node, Settings.UndoAfter.Value).UndoAsync(await WatchedAsync(node, change, cancellationToken), cancellationToken);
        OnUndone(node);
        return new PlannedChange(node.Name, change.Description);
    }

    /// <summary>The facts of a node on which nothing is unfinished; what an earlier run left so is taken back first.</summary>
    protected static async Task<NodeFacts> CleanAsync(Node node, CancellationToken cancellationToken)
    {
        var facts = await KnownAsync(node, cancellationToken);
        if (facts.Unfinished is null)
        {
            return facts;
        }

        await node.RunAsync($"take back a change of {facts.Unfinished} that was cut off", ChangeScripts.TakeBack, cancellationToken);
        node.Forget();
        return await KnownAsync(node, cancellationToken);
    }

    /// <summary>The change that takes the control back on a node.</summary>
    protected async Task<NodeChange> UndoOfAsync(Node node, NodeFacts facts, CancellationToken cancellationToken)
    {
        var paths = Lines(await node.RunAsync("read what is kept for the undo", ChangeScripts.PathsOf(Name), cancellationToken));
        return UndoPorts(facts, new NodeChange(Name, $"put back {string.Join(", ", paths)}")
        {
            Touches = paths,
            Apply = ChangeScripts.RestoreOriginal(Name) + "\n" + Restore,
            Restore = Restore,
        });
    }

    /// <summary>Adds to an undo the ports that logins must work on after it.</summary>
    protected virtual NodeChange UndoPorts(NodeFacts facts, NodeChange undo) => undo;

    // What concerns logins alone takes no node away from the cluster. A change after which the cluster is not whole is taken back.
    private async Task<NodeChange> WatchedAsync(Node node, NodeChange change, CancellationToken cancellationToken)
    {
        if (!IsRisky || OthersFollowTheFirst || (await node.FactsAsync(cancellationToken)).K3s == K3sRole.None)
        {
            return change;
        }

        await _cluster.RequireWithoutAsync(node, cancellationToken);
        return change with
        {
            Proof = async (changed, cancellation) =>
            {
                await (change.Proof?.Invoke(changed, cancellation) ?? Task.CompletedTask);
                await _cluster.UntilWholeAsync(changed, Settings.UndoAfter.Value * ShareOfUndoTime, cancellation);
            },
        };
    }

    private static async Task<NodeFacts> KnownAsync(Node node, CancellationToken cancellationToken)
    {
        var facts = await node.FactsAsync(cancellationToken);
        return facts.IsDebianFamily
            ? facts
            : throw new NodeException(node.Name, $"node {node.Name} runs {facts.System}, and only Debian and Ubuntu are supported", "Leave it out with --nodes.");
    }

    // Where nodes are done at the same time, each one's failure concerns itself alone; all are told at the end.
    private async Task<ImmutableArray<T>> ForEachAsync<T>(bool inParallel, Func<Node, Task<T>> action, CancellationToken cancellationToken)
    {
        var results = ImmutableArray.CreateBuilder<T>();
        var alone = inParallel ? 0 : OthersFollowTheFirst ? 1 : fleet.Nodes.Length;

        // Reading takes no node away; a failure is told when it is the node's turn.
        await Task.WhenAny(Task.WhenAll(fleet.Nodes.Select(node => node.FactsAsync(cancellationToken))));
        foreach (var node in fleet.Nodes.Take(alone))
        {
            results.Add(await action(node));
        }

        var tasks = fleet.Nodes.Skip(alone).Select(action).ToList();
        var failures = new List<K3sException>();
        foreach (var task in tasks)
        {
            try
            {
                results.Add(await task);
            }
            catch (K3sException failure)
            {
                failures.Add(failure);
            }
        }

        return failures switch
        {
            [] => results.ToImmutable(),
            [var only] => throw only,
            _ => throw new K3sException(
                ExitCodes.Failed,
                $"{Name} failed on {failures.Count} of {tasks.Count} nodes",
                failures[0].NextStep,
                [.. failures.SelectMany(failure => failure.Message.Split(System.Environment.NewLine))]),
        };
    }

    private static ImmutableArray<PlannedChange> Planned(Node node, IEnumerable<NodeChange> changes) =>
        [.. changes.Select(change => new PlannedChange(node.Name, change.Description))];

    private Finding FindingOf(Node node, NodeVerdict verdict) => new(Name, node.Name, verdict.State, verdict.Summary, verdict.Evidence);

    private static ImmutableArray<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
