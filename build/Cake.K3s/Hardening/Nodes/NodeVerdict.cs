using System.Collections.Immutable;

namespace Cake.K3s.Hardening.Nodes;

/// <summary>How a control stands on one node.</summary>
/// <param name="State">How it stands.</param>
/// <param name="Summary">One line: what is, and where it is not right what should be.</param>
/// <param name="Evidence">What was read or measured, line by line.</param>
internal sealed record NodeVerdict(ControlState State, string Summary, ImmutableArray<string> Evidence)
{
    /// <summary>A verdict without evidence.</summary>
    public NodeVerdict(ControlState state, string summary)
        : this(state, summary, [])
    {
    }
}
