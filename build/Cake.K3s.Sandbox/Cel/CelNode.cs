namespace Cake.K3s.Sandbox.Cel;

/// <summary>A part of a parsed expression.</summary>
internal abstract record CelNode;

internal sealed record CelLiteral(object? Value) : CelNode;

internal sealed record CelIdentifier(string Name) : CelNode;

/// <param name="Operand">Whose field.</param>
/// <param name="Field">Its name.</param>
/// <param name="Test">Whether it is there (<c>has</c>), instead of its value.</param>
/// <param name="Optional"><c>a.?b</c>.</param>
internal sealed record CelSelect(CelNode Operand, string Field, bool Test = false, bool Optional = false) : CelNode;

internal sealed record CelIndex(CelNode Operand, CelNode Key, bool Optional) : CelNode;

/// <summary>A function, <c>f(x)</c>, a method, <c>x.f(y)</c>, or an operator under its sign.</summary>
internal sealed record CelCall(string Function, CelNode? Target, IReadOnlyList<CelNode> Arguments) : CelNode;

internal sealed record CelLogical(bool IsAnd, CelNode Left, CelNode Right) : CelNode;

internal sealed record CelConditional(CelNode Condition, CelNode Then, CelNode Else) : CelNode;

/// <param name="Items">The items; those after <c>?</c> are optional values that are left out when empty.</param>
internal sealed record CelList(IReadOnlyList<(CelNode Value, bool Optional)> Items) : CelNode;

internal sealed record CelMap(IReadOnlyList<(CelNode Key, CelNode Value, bool Optional)> Entries) : CelNode;

/// <summary>A macro over a list or the keys of a map.</summary>
/// <param name="Macro"><c>all</c>, <c>exists</c>, <c>exists_one</c>, <c>filter</c>, <c>map</c>, <c>optMap</c> or <c>optFlatMap</c>.</param>
/// <param name="Range">What it goes through.</param>
/// <param name="Variable">The name of each element.</param>
/// <param name="Condition">Which elements count; null is all.</param>
/// <param name="Result">What becomes of them (<c>map</c>, <c>optMap</c>, <c>optFlatMap</c>).</param>
internal sealed record CelComprehension(string Macro, CelNode Range, string Variable, CelNode? Condition, CelNode? Result) : CelNode;
