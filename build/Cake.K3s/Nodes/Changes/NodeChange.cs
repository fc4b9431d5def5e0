using System.Collections.Immutable;

namespace Cake.K3s.Nodes.Changes;

/// <summary>
/// One change of a node. It takes place whole or not at all: the files are kept first, an undo is armed on the node, and is disarmed
/// only after a new login has worked.
/// </summary>
/// <param name="Control">The control that it belongs to.</param>
/// <param name="Description">What it does, in one line.</param>
internal sealed record NodeChange(string Control, string Description)
{
    /// <summary>Files to write or to remove, before <see cref="Apply"/> runs.</summary>
    public ImmutableArray<NodeFile> Files { get; init; } = [];

    /// <summary>Absolute paths of the further files that <see cref="Apply"/> changes; kept, and put back by an undo.</summary>
    public ImmutableArray<string> Touches { get; init; } = [];

    /// <summary>
    /// POSIX shell under <c>set -eu</c>, as root: makes the change effective, or makes it altogether. Where it fails the node goes back to
    /// what it was. It need not be safe to run twice, and must not wait for input.
    /// </summary>
    public string Apply { get; init; } = "";

    /// <summary>
    /// POSIX shell, run after the files were put back: makes the former state effective, e.g. restarts a service. It may run twice. After a
    /// reboot it does not run: services start with the former files then.
    /// </summary>
    public string Restore { get; init; } = "";

    /// <summary>
    /// POSIX shell under <c>set -eu</c> that takes <see cref="Apply"/>'s part back where its files cannot simply be put back, because another
    /// hand changed them since (UFW's rules); may find its work done already. Empty where the files are the control's own.
    /// </summary>
    public string Inverse { get; init; } = "";

    /// <summary>The ports that a new login must work on; the last one is used from then on. Empty for the one that is used now.</summary>
    public ImmutableArray<int> LoginPorts { get; init; } = [];

    /// <summary>A proof before that of a new login; it throws where the change does not work, and the change is taken back.</summary>
    public Func<Node, CancellationToken, Task>? Proof { get; init; }

    /// <summary>All files that may change.</summary>
    public IEnumerable<string> Paths => Files.Select(file => file.Path).Concat(Touches).Distinct(StringComparer.Ordinal);
}
