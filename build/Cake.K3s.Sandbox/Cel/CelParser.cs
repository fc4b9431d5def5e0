using System.Collections.Frozen;

namespace Cake.K3s.Sandbox.Cel;

/// <summary>Reads an expression; names that are neither declared nor made by a macro are errors, as with the API server's compiler.</summary>
internal sealed class CelParser
{
    /// <summary>Expressions nested deeper than this are refused, as cel-go refuses them.</summary>
    private const int DeepestNesting = 250;

    private static readonly FrozenSet<string> Comprehensions =
        new[] { "all", "exists", "exists_one", "existsOne", "filter", "map", "optMap", "optFlatMap" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly string[] Relations = ["==", "!=", "<", "<=", ">", ">=", "in"];

    private readonly string _text;
    private readonly List<CelToken> _tokens;
    private readonly List<string> _names;
    private int _at;
    private int _depth;

    private CelParser(string text, IEnumerable<string> names) => (_text, _tokens, _names) = (text, new CelLexer(text).Read(), [.. names]);

    private CelToken Current => _tokens[_at];

    /// <exception cref="CelException">It cannot be read.</exception>
    public static CelNode Parse(string text, IEnumerable<string> names)
    {
        var parser = new CelParser(text, names);
        var result = parser.Expression();
        return parser.Current.Kind == CelTokenKind.End ? result : throw parser.Unexpected("<EOF>");
    }

    private CelNode Expression()
    {
        if (++_depth > DeepestNesting)
        {
            throw CelLexer.Error(_text, Current.At, $"expression recursion limit exceeded: {DeepestNesting}");
        }

        var condition = Logical(isAnd: false);
        if (TryTake("?"))
        {
            var then = Logical(isAnd: false);
            Take(":");
            condition = new CelConditional(condition, then, Expression());
        }

        _depth--;
        return condition;
    }

    private CelNode Logical(bool isAnd)
    {
        var left = isAnd ? Binary(Relations, Sum) : Logical(isAnd: true);
        while (TryTake(isAnd ? "&&" : "||"))
        {
            left = new CelLogical(isAnd, left, isAnd ? Binary(Relations, Sum) : Logical(isAnd: true));
        }

        return left;
    }

    private CelNode Sum() => Binary(["+", "-"], Product);

    private CelNode Product() => Binary(["*", "/", "%"], Unary);

    private CelNode Binary(string[] signs, Func<CelNode> operand)
    {
        var left = operand();
        while (Current.Kind == CelTokenKind.Sign && signs.Contains(Current.Text))
        {
            var sign = _tokens[_at++].Text;
            left = new CelCall(sign, null, [left, operand()]);
        }

        return left;
    }

    private CelNode Unary()
    {
        if (Current is { Kind: CelTokenKind.Sign, Text: "!" or "-" })
        {
            var sign = _tokens[_at++].Text;
            if (++_depth > DeepestNesting)
            {
                throw CelLexer.Error(_text, Current.At, $"expression recursion limit exceeded: {DeepestNesting}");
            }

            var operand = Unary();
            _depth--;
            return new CelCall(sign == "!" ? "!" : "negate", null, [operand]);
        }

        return Member(Primary());
    }

    private CelNode Member(CelNode operand)
    {
        while (true)
        {
            if (TryTake("."))
            {
                var optional = TryTake("?");
                var field = Name(anyWord: true);
                operand = !optional && TryTake("(") ? Method(operand, field) : new CelSelect(operand, field.Text, Optional: optional);
            }
            else if (TryTake("["))
            {
                var optional = TryTake("?");
                operand = new CelIndex(operand, Expression(), optional);
                Take("]");
            }
            else
            {
                return operand;
            }
        }
    }

    private CelNode Method(CelNode target, CelToken name)
    {
        if (Comprehensions.Contains(name.Text) && Current.Kind == CelTokenKind.Identifier && _tokens[_at + 1].Text == ",")
        {
            return Comprehension(target, name.Text);
        }

        var arguments = Arguments();

        // "optional.of" and "sets.contains" are functions of a namespace, not methods of a value.
        if (target is CelIdentifier { Name: "optional" or "sets" } space)
        {
            return Call($"{space.Name}.{name.Text}", null, arguments, name.At);
        }

        return Call(name.Text, target, arguments, name.At);
    }

    private CelComprehension Comprehension(CelNode range, string macro)
    {
        var variable = Name().Text;
        Take(",");
        _names.Add(variable);
        var first = Expression();
        var second = macro == "map" && TryTake(",") ? Expression() : null;
        _names.RemoveAt(_names.Count - 1);
        Take(")");
        return macro switch
        {
            "map" => new CelComprehension(macro, range, variable, second is null ? null : first, second ?? first),
            "optMap" or "optFlatMap" => new CelComprehension(macro, range, variable, null, first),
            "existsOne" => new CelComprehension("exists_one", range, variable, first, null),
            _ => new CelComprehension(macro, range, variable, first, null),
        };
    }

    private CelNode Primary()
    {
        var token = Current;
        if (token.Kind == CelTokenKind.Literal)
        {
            _at++;
            return new CelLiteral(token.Value);
        }

        if (TryTake("("))
        {
            var inner = Expression();
            Take(")");
            return inner;
        }

        if (TryTake("["))
        {
            return List();
        }

        if (TryTake("{"))
        {
            return Map();
        }

        TryTake(".");
        var name = Name();
        if (TryTake("("))
        {
            return name.Text == "has" ? Has(name) : Call(name.Text, null, Arguments(), name.At);
        }

        if (name.Text is "optional" or "sets" || _names.Contains(name.Text) || CelValues.IsTypeName(name.Text))
        {
            return new CelIdentifier(name.Text);
        }

        throw CelLexer.Error(_text, name.At, $"undeclared reference to '{name.Text}' (in container '')");
    }

    private CelSelect Has(CelToken at)
        => Arguments() is [CelSelect { Test: false, Optional: false } select]
            ? select with { Test = true }
            : throw CelLexer.Error(_text, at.At, "invalid argument to has() macro");

    private CelCall Call(string function, CelNode? target, IReadOnlyList<CelNode> arguments, int at)
        => CelFunctions.Exists(function, target is not null, arguments.Count)
            ? new CelCall(function, target, arguments)
            : throw CelLexer.Error(_text, at, CelFunctions.Exists(function)
                ? $"found no matching overload for '{function}'"
                : $"undeclared reference to '{function}' (in container '')");

    private List<CelNode> Arguments()
    {
        var arguments = new List<CelNode>();
        if (TryTake(")"))
        {
            return arguments;
        }

        do
        {
            arguments.Add(Expression());
        }
        while (TryTake(","));
        Take(")");
        return arguments;
    }

    private CelList List()
    {
        var items = new List<(CelNode, bool)>();
        while (!TryTake("]"))
        {
            var optional = TryTake("?");
            items.Add((Expression(), optional));
            if (!TryTake(","))
            {
                Take("]");
                break;
            }
        }

        return new CelList(items);
    }

    private CelMap Map()
    {
        var entries = new List<(CelNode, CelNode, bool)>();
        while (!TryTake("}"))
        {
            var optional = TryTake("?");
            var key = Expression();
            Take(":");
            entries.Add((key, Expression(), optional));
            if (!TryTake(","))
            {
                Take("}");
                break;
            }
        }

        return new CelMap(entries);
    }

    private CelToken Name(bool anyWord = false)
    {
        if (Current.Kind == CelTokenKind.Identifier || (anyWord && Current is { Kind: CelTokenKind.Sign, Text: "in" }))
        {
            return _tokens[_at++];
        }

        throw Unexpected("IDENTIFIER");
    }

    private bool TryTake(string sign)
    {
        if (Current.Kind != CelTokenKind.Sign || Current.Text != sign)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Take(string sign)
    {
        if (!TryTake(sign))
        {
            throw Unexpected($"'{sign}'");
        }
    }

    private CelException Unexpected(string expected)
        => CelLexer.Error(_text, Current.At, $"Syntax error: mismatched input '{(Current.Kind == CelTokenKind.Literal ? Current.Value ?? "null" : Current.Text)}' expecting {expected}");
}
