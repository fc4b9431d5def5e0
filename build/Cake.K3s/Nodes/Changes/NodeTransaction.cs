using System.Globalization;

namespace Cake.K3s.Nodes.Changes;

/// <summary>Makes one change of one node: arm, apply, prove by a new login, disarm. Cut off anywhere, the node takes the change back by itself.</summary>
internal sealed class NodeTransaction(Node node, TimeSpan undoAfter)
{
    // Taking a change back after Ctrl+C must not take for ever either; the node does it without us.
    private static readonly TimeSpan TakeBackLimit = TimeSpan.FromSeconds(30);

    /// <summary>Makes a change.</summary>
    /// <exception cref="NodeException">It failed; the message says whether the node is as before.</exception>
    public Task ApplyAsync(NodeChange change, CancellationToken cancellationToken) => RunAsync(change, ChangeScripts.Confirm, cancellationToken);

    /// <summary>Makes the change that takes a control back.</summary>
    /// <exception cref="NodeException">It failed; the message says whether the node is as before.</exception>
    public Task UndoAsync(NodeChange change, CancellationToken cancellationToken) => RunAsync(change, ChangeScripts.ConfirmUndo, cancellationToken);

    private async Task RunAsync(NodeChange change, Func<NodeChange, string, string> confirm, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)[..12];
        var what = $"{change.Control}: {change.Description}";
        node.Forget();
        try
        {
            var applied = await node.TryRunAsync(ChangeScripts.Apply(change, id, undoAfter), cancellationToken);
            if (applied.ExitCode != 0)
            {
                var outcome = applied.Output.Contains(ChangeScripts.TakenBack, StringComparison.Ordinal) ? "it was taken back" : "nothing was changed";
                throw node.Failure($"{what} failed and {outcome}", applied);
            }
        }
        catch (Exception cut) when (cut is OperationCanceledException or NodeException { IsCutOff: true })
        {
            await TakeBackAsync(what, cut);
            throw;
        }

        NodeResult confirmed;
        try
        {
            // Logins at other ports and the change's own proof first; the login that confirms is the last proof.
            await Task.WhenAll(change.LoginPorts.SkipLast(1).Select(port => node.ProveLoginAsync(port, cancellationToken)));
            if (change.Proof is { } proof)
            {
                await proof(node, cancellationToken);
            }

            confirmed = await node.RunInNewLoginAsync(change.LoginPorts is [.., var port] ? port : null, confirm(change, id), cancellationToken);
        }
        catch (Exception failure) when (failure is (K3sException and not NodeException { IsCutOff: true }) or OperationCanceledException)
        {
            await TakeBackAsync(what, failure);
            throw failure is K3sException told
                ? new NodeException(node.Name, $"{what} was taken back on {node.Name}: {told.Summary}", told.NextStep, told.Details, told)
                : new OperationCanceledException(failure.Message, failure, cancellationToken);
        }

        if (change.LoginPorts is [.., var last])
        {
            node.UsePort(last);
        }

        node.Forget();
        if (confirmed.ExitCode != 0)
        {
            throw node.Failure(
                confirmed.Output.Contains(ChangeScripts.TooLate, StringComparison.Ordinal)
                    ? $"{what} was taken back by the node: its proof took longer than {undoAfter.TotalSeconds:0} s (hardening.undoAfter)"
                    : $"{what} could not be confirmed; the node takes it back within {undoAfter.TotalSeconds:0} s",
                confirmed);
        }
    }

    private async Task TakeBackAsync(string what, Exception reason)
    {
        using var limit = new CancellationTokenSource(TakeBackLimit);
        try
        {
            await node.RunAsync($"take back {what}", ChangeScripts.TakeBack, limit.Token);
        }
        catch (Exception failure) when (failure is NodeException or OperationCanceledException)
        {
            throw new NodeException(
                node.Name,
                $"{what} is not proved on {node.Name}, which takes it back by itself within {undoAfter.TotalSeconds:0} s: {FirstLine(reason)}",
                "Run it again after that.",
                (reason as K3sException)?.Details,
                failure);
        }
    }

    private static string FirstLine(Exception reason) => reason is K3sException told ? told.Summary : "the run was cancelled";
}
