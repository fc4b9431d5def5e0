using System.Globalization;

namespace Cake.K3s.Nodes.Changes;

/// <summary>Makes one change of one node: arm, apply, prove by a new login, disarm. Cut off anywhere, the node takes the change back by itself.</summary>
internal sealed class NodeTransaction(Node node, TimeSpan undoAfter)
{
    // Taking a change back after Ctrl+C must not take for ever either; the node does it without us.
    private static readonly TimeSpan TakeBackLimit = TimeSpan.FromSeconds(30);

    private readonly string _id = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)[..12];

    /// <summary>Makes a change.</summary>
    /// <exception cref="NodeException">It failed; the message says whether the node is as before.</exception>
    public Task ApplyAsync(NodeChange change, CancellationToken cancellationToken) => RunAsync(change, isUndo: false, cancellationToken);

    /// <summary>Makes the change that takes a control back.</summary>
    /// <exception cref="NodeException">It failed; the message says whether the node is as before.</exception>
    public Task UndoAsync(NodeChange change, CancellationToken cancellationToken) => RunAsync(change, isUndo: true, cancellationToken);

    /// <summary>Arms the undo and makes the change; it is neither proved nor confirmed yet.</summary>
    /// <exception cref="NodeException">It failed; the message says whether the node is as before.</exception>
    public async Task MakeAsync(NodeChange change, CancellationToken cancellationToken)
    {
        node.Forget();
        try
        {
            var applied = await node.TryRunAsync(ChangeScripts.Apply(change, _id, undoAfter), cancellationToken);
            if (applied.ExitCode != 0)
            {
                var outcome = applied.Output.Contains(ChangeScripts.TakenBack, StringComparison.Ordinal) ? "it was taken back" : "nothing was changed";
                throw node.Failure($"{What(change)} failed and {outcome}", applied);
            }
        }
        catch (Exception cut) when (cut is OperationCanceledException or NodeException { IsCutOff: true })
        {
            await TakeBackAsync(change, cut);
            throw;
        }
    }

    /// <summary>Disarms the undo, in a new login at the change's last port: that it works is the last proof.</summary>
    /// <param name="change">The change.</param>
    /// <param name="isUndo">Whether it takes the control back: nothing of it is left on the node then.</param>
    /// <param name="cancellationToken">Ends it; the node takes the change back then.</param>
    /// <exception cref="NodeException">The node took it back before, or is about to.</exception>
    public async Task ConfirmAsync(NodeChange change, bool isUndo, CancellationToken cancellationToken) =>
        RequireConfirmed(change, await TryConfirmAsync(change, isUndo, cancellationToken));

    /// <summary>Takes the change back now.</summary>
    /// <param name="change">The change.</param>
    /// <param name="reason">Why, for the error.</param>
    /// <exception cref="NodeException">It could not be; the node does it by itself.</exception>
    public async Task TakeBackAsync(NodeChange change, Exception reason)
    {
        using var limit = new CancellationTokenSource(TakeBackLimit);
        try
        {
            await node.RunAsync($"take back {What(change)}", ChangeScripts.TakeBack, limit.Token);
            node.Forget();
        }
        catch (Exception failure) when (failure is NodeException or OperationCanceledException)
        {
            throw new NodeException(
                node.Name,
                $"{What(change)} is not proved on {node.Name}, which takes it back by itself within {undoAfter.TotalSeconds:0} s: {FirstLine(reason)}",
                "Run it again after that.",
                (reason as K3sException)?.Details,
                failure);
        }
    }

    private async Task RunAsync(NodeChange change, bool isUndo, CancellationToken cancellationToken)
    {
        await MakeAsync(change, cancellationToken);
        NodeResult confirmed;
        try
        {
            // Logins at other ports and the change's own proof first; the login that confirms is the last proof.
            await Task.WhenAll(change.LoginPorts.SkipLast(1).Select(port => node.ProveLoginAsync(port, cancellationToken)));
            if (change.Proof is { } proof)
            {
                await proof(node, cancellationToken);
            }

            confirmed = await TryConfirmAsync(change, isUndo, cancellationToken);
        }
        catch (Exception failure) when (failure is (K3sException and not NodeException { IsCutOff: true }) or OperationCanceledException)
        {
            await TakeBackAsync(change, failure);
            throw failure is K3sException told
                ? new NodeException(node.Name, $"{What(change)} was taken back on {node.Name}: {told.Summary}", told.NextStep, told.Details, told)
                : new OperationCanceledException(failure.Message, failure, cancellationToken);
        }

        RequireConfirmed(change, confirmed);
    }

    private Task<NodeResult> TryConfirmAsync(NodeChange change, bool isUndo, CancellationToken cancellationToken) => node.RunInNewLoginAsync(
        change.LoginPorts is [.., var port] ? port : null,
        isUndo ? ChangeScripts.ConfirmUndo(change, _id) : ChangeScripts.Confirm(change, _id),
        cancellationToken);

    private void RequireConfirmed(NodeChange change, NodeResult confirmed)
    {
        if (change.LoginPorts is [.., var last])
        {
            node.UsePort(last);
        }

        node.Forget();
        if (confirmed.ExitCode != 0)
        {
            throw node.Failure(
                confirmed.Output.Contains(ChangeScripts.TooLate, StringComparison.Ordinal)
                    ? $"{What(change)} was taken back by the node: its proof took longer than {undoAfter.TotalSeconds:0} s (hardening.undoAfter)"
                    : $"{What(change)} could not be confirmed; the node takes it back within {undoAfter.TotalSeconds:0} s",
                confirmed);
        }
    }

    private static string What(NodeChange change) => $"{change.Control}: {change.Description}";

    private static string FirstLine(Exception reason) => reason is K3sException told ? told.Summary : "the run was cancelled";
}
