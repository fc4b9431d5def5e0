using System.Collections.Immutable;

namespace Cake.K3s.Hardening;

/// <summary>What a control found on one node, object or zone.</summary>
/// <param name="Control">The control's name.</param>
/// <param name="Target">What it is about: a node's name, <c>namespace/name</c> of an object, a zone.</param>
/// <param name="State">How it stands.</param>
/// <param name="Summary">One line: what is, and where it is not right what should be.</param>
/// <param name="Evidence">What was read or measured, line by line; secrets masked.</param>
public sealed record Finding(string Control, string Target, ControlState State, string Summary, ImmutableArray<string> Evidence)
{
    /// <summary>What a control finds that deploy.yaml does not ask for.</summary>
    /// <param name="control">The control's name.</param>
    /// <param name="key">The key that would ask for it, below the environment's, e.g. <c>hardening.redisPassword</c>.</param>
    internal static Finding NotConfigured(string control, string key) =>
        new(control, "", ControlState.NotApplicable, $"{key} of the environment is not set in deploy.yaml", []);
}
