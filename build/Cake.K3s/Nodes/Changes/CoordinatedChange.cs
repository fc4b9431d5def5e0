using System.Collections.Immutable;

namespace Cake.K3s.Nodes.Changes;

/// <summary>One node's part of a change of several.</summary>
/// <param name="Node">The node.</param>
/// <param name="Change">Its part.</param>
internal sealed record NodePart(Node Node, NodeChange Change);

/// <summary>
/// A change that works only once several nodes have it: armed and made on one after the other, proved together, confirmed on all. Cut off
/// before the confirmation, every node takes its part back by itself. Cut off amid it, some keep theirs: the same change made again
/// finishes it.
/// </summary>
/// <param name="undoAfter">How long one node's part may stay unproved; all together get the sum, since the first waits for the last.</param>
internal sealed class CoordinatedChange(TimeSpan undoAfter)
{
    /// <summary>Makes the change, part after part in the order given.</summary>
    /// <param name="parts">The parts.</param>
    /// <param name="before">Called before each part; throws where its node must not be touched now.</param>
    /// <param name="after">Called after each part; throws where its node is not as it should be, before the next one is touched.</param>
    /// <param name="proof">Called when all parts are made; throws where they do not work together.</param>
    /// <param name="isUndo">Whether the change takes a control back: nothing of it is left on the nodes then.</param>
    /// <param name="cancellationToken">Cancels it; what was made is taken back.</param>
    /// <exception cref="NodeException">It failed; the message says whether the nodes are as before.</exception>
    public async Task MakeAsync(
        ImmutableArray<NodePart> parts,
        Func<Node, CancellationToken, Task> before,
        Func<Node, CancellationToken, Task> after,
        Func<CancellationToken, Task> proof,
        bool isUndo,
        CancellationToken cancellationToken)
    {
        var transactions = parts.Select(part => (part.Change, Transaction: new NodeTransaction(part.Node, undoAfter * (parts.Length + 1)), part.Node)).ToList();
        var made = 0;
        try
        {
            foreach (var (change, transaction, node) in transactions)
            {
                await before(node, cancellationToken);
                await transaction.MakeAsync(change, cancellationToken);
                made++;
                await node.ProveLoginAsync(null, cancellationToken);
                await after(node, cancellationToken);
            }

            await proof(cancellationToken);
        }
        catch (Exception failure) when (failure is K3sException or OperationCanceledException)
        {
            // One after the other here too: each may take its node away for a moment.
            K3sException? left = null;
            foreach (var (change, transaction, _) in transactions.Take(made).Reverse())
            {
                try
                {
                    await transaction.TakeBackAsync(change, failure);
                }
                catch (NodeException late)
                {
                    left ??= late;
                }
            }

            throw (left, failure) switch
            {
                ({ } late, _) => late,
                (_, K3sException told) when made > 0 => new NodeException(
                    transactions[made - 1].Node.Name, $"{parts[0].Change.Control} was taken back on {made} of {parts.Length} nodes: {told.Summary}", told.NextStep, told.Details, told),
                (_, K3sException told) => told,
                _ => new OperationCanceledException(failure.Message, failure, cancellationToken),
            };
        }

        await Task.WhenAll(transactions.Select(part => part.Transaction.ConfirmAsync(part.Change, isUndo, cancellationToken)));
    }
}
