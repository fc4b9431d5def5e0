using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Selectors;

/// <summary>Which labels an object must have: from the <c>labelSelector</c> parameter, or from a selector in an object.</summary>
internal sealed class LabelSelector
{
    private readonly IReadOnlyList<Requirement> _requirements;

    private LabelSelector(IReadOnlyList<Requirement> requirements) => _requirements = requirements;

    public static LabelSelector Everything { get; } = new([]);

    public bool IsEverything => _requirements.Count == 0;

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        foreach (var requirement in _requirements)
        {
            if (!requirement.Matches(labels))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads the parameter: <c>a=b,c!=d,e in (f,g),!h</c>.</summary>
    /// <exception cref="FormatException">It cannot be understood.</exception>
    public static LabelSelector Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return Everything;
        }

        return new LabelSelector([.. Split(text).Select(ParseOne)]);
    }

    /// <summary>Reads a <c>LabelSelector</c> object: an empty one matches everything.</summary>
    public static LabelSelector Of(JsonObject selector)
    {
        var requirements = new List<Requirement>();
        foreach (var (key, value) in selector.Map("matchLabels"))
        {
            requirements.Add(new Requirement(key, Operator.In, [value]));
        }

        foreach (var expression in selector.Objects("matchExpressions"))
        {
            var @operator = expression.Text("operator") switch
            {
                "In" => Operator.In,
                "NotIn" => Operator.NotIn,
                "Exists" => Operator.Exists,
                _ => Operator.DoesNotExist,
            };
            requirements.Add(new Requirement(expression.Text("key") ?? "", @operator, [.. expression.Texts("values")]));
        }

        return new LabelSelector(requirements);
    }

    private static IEnumerable<string> Split(string text)
    {
        var depth = 0;
        var start = 0;
        for (var at = 0; at < text.Length; at++)
        {
            depth += text[at] switch { '(' => 1, ')' => -1, _ => 0 };
            if (text[at] == ',' && depth == 0)
            {
                yield return text[start..at];
                start = at + 1;
            }
        }

        yield return text[start..];
    }

    private static Requirement ParseOne(string part)
    {
        var text = part.Trim();
        if (text.StartsWith('!'))
        {
            return new Requirement(Key(text[1..], part), Operator.DoesNotExist, []);
        }

        if (text.EndsWith(')') && text.IndexOf('(', StringComparison.Ordinal) is var open && open > 0)
        {
            var words = text[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is [var key, "in" or "notin"])
            {
                var values = text[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
                return new Requirement(Key(key, part), words[1] == "in" ? Operator.In : Operator.NotIn, values);
            }

            throw new FormatException($"unable to parse requirement: found '{text}', expected: in, notin");
        }

        foreach (var (sign, @operator) in Signs)
        {
            var at = text.IndexOf(sign, StringComparison.Ordinal);
            if (at >= 0)
            {
                return new Requirement(Key(text[..at], part), @operator, [text[(at + sign.Length)..].Trim()]);
            }
        }

        return new Requirement(Key(text, part), Operator.Exists, []);
    }

    private static string Key(string text, string part)
    {
        var key = text.Trim();
        return key.Length > 0 && !key.Contains(' ', StringComparison.Ordinal)
            ? key
            : throw new FormatException($"unable to parse requirement: found '{part.Trim()}', expected: identifier");
    }

    private static readonly (string Sign, Operator Operator)[] Signs =
        [("!=", Operator.NotIn), ("==", Operator.In), ("=", Operator.In), (">", Operator.Greater), ("<", Operator.Less)];

    private enum Operator
    {
        In,
        NotIn,
        Exists,
        DoesNotExist,
        Greater,
        Less,
    }

    private sealed record Requirement(string Key, Operator Operator, IReadOnlyList<string> Values)
    {
        public bool Matches(IReadOnlyDictionary<string, string> labels)
        {
            var there = labels.TryGetValue(Key, out var value);
            return Operator switch
            {
                Operator.In => there && Values.Contains(value!),
                Operator.NotIn => !there || !Values.Contains(value!),
                Operator.Exists => there,
                Operator.DoesNotExist => !there,
                _ => there && long.TryParse(value, out var number) && long.TryParse(Values[0], out var limit)
                    && (Operator == Operator.Greater ? number > limit : number < limit),
            };
        }
    }
}
