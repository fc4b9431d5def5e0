namespace Cake.K3s.Hardening;

/// <summary>What a state means.</summary>
internal static class ControlStateExtensions
{
    /// <summary>Whether there is nothing to do.</summary>
    public static bool IsFine(this ControlState state) => state is ControlState.InPlace or ControlState.NotApplicable;

    /// <summary>The state in words.</summary>
    public static string Text(this ControlState state) => state switch
    {
        ControlState.InPlace => "in place",
        ControlState.NotApplicable => "not applicable",
        _ => state.ToString().ToLowerInvariant(),
    };
}
