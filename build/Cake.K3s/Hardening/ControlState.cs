namespace Cake.K3s.Hardening;

/// <summary>How a control stands.</summary>
public enum ControlState
{
    /// <summary>It is as it should be.</summary>
    InPlace,

    /// <summary>It was never applied.</summary>
    Missing,

    /// <summary>It was applied, and something has changed since.</summary>
    Drifted,

    /// <summary>An earlier change was cut off; applying again finishes it, undoing takes it back.</summary>
    Unfinished,

    /// <summary>It does not concern this target; the summary says why.</summary>
    NotApplicable,

    /// <summary>It could not be read; the summary says why.</summary>
    Unknown,
}
