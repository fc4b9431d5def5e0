namespace Cake.K3s.Sandbox.Cel;

/// <summary>A word of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A name, or an operator's sign.</param>
/// <param name="Value">The value of a literal.</param>
/// <param name="At">Where it begins, from 0.</param>
internal readonly record struct CelToken(CelTokenKind Kind, string Text, object? Value, int At);

internal enum CelTokenKind
{
    End,
    Identifier,
    Literal,
    Sign,
}
