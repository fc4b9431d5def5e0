using System.Diagnostics;

namespace Cake.K3s.Settings;

/// <summary>
/// A value that must not be shown. It prints as <c>***</c>, has no public property to serialize, and gives its text only to
/// a caller that says so by name.
/// </summary>
[DebuggerDisplay("***")]
public sealed class Secret
{
    private readonly string _value;

    /// <summary>Wraps a value.</summary>
    public Secret(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _value = value;
    }

    /// <summary>Gives the text away, to be written to standard input or to a file of mode 600, never to an argument or a log.</summary>
    public string Reveal() => _value;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";
}
