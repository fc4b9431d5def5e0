using System.Collections.Frozen;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.Cel;

/// <summary>
/// The functions and operators: of CEL's standard library, and of the strings, lists, sets, regex, optional and quantity libraries that the API
/// server adds. Not there: <c>authorizer</c>, URLs, IP addresses, semantic versions, bytes, and parts of dates.
/// </summary>
internal static class CelFunctions
{
    private static readonly TimeSpan PatternTime = TimeSpan.FromMilliseconds(200);

    /// <summary>By name, then by the number of arguments with a method's target as the first.</summary>
    private static readonly FrozenDictionary<string, (bool Method, int Arguments, Func<object?[], object?> Run)[]> All = Table()
        .GroupBy(row => row.Name, StringComparer.Ordinal)
        .ToFrozenDictionary(group => group.Key, group => group.Select(row => (row.Method, row.Arguments, row.Run)).ToArray(), StringComparer.Ordinal);

    public static bool Exists(string name) => All.ContainsKey(name);

    public static bool Exists(string name, bool method, int arguments)
        => All.TryGetValue(name, out var forms) && forms.Any(form => form.Method == method && form.Arguments == arguments);

    /// <param name="name">The function, or an operator's sign.</param>
    /// <param name="method">Whether the first value is the target of a method.</param>
    /// <param name="values">The target of a method, and the arguments.</param>
    /// <exception cref="CelException">It does not take such values, or fails on them.</exception>
    public static object? Run(string name, bool method, object?[] values)
    {
        foreach (var form in All[name])
        {
            if (form.Method == method && form.Arguments == values.Length - (method ? 1 : 0))
            {
                try
                {
                    return form.Run(values);
                }
                catch (InvalidCastException)
                {
                    throw CelException.NoSuchOverload(name);
                }
                catch (OverflowException)
                {
                    throw new CelException("integer overflow");
                }
            }
        }

        throw CelException.NoSuchOverload(name);
    }

    private static IEnumerable<(string Name, bool Method, int Arguments, Func<object?[], object?> Run)> Table() =>
    [
        .. Operators(), .. Conversions(), .. Strings(), .. Lists(), .. Optionals(), .. Quantity(),
    ];

    private static IEnumerable<(string, bool, int, Func<object?[], object?>)> Operators() =>
    [
        ("!", false, 1, a => !(bool)a[0]!),
        ("negate", false, 1, a => a[0] is double number ? (object)-number : checked(-(long)a[0]!)),
        ("+", false, 2, a => Add(a[0], a[1])),
        ("-", false, 2, a => Subtract(a[0], a[1])),
        ("*", false, 2, a => a[0] is double left ? (object)(left * (double)a[1]!) : checked((long)a[0]! * (long)a[1]!)),
        ("/", false, 2, a => a[0] is double left ? (object)(left / (double)a[1]!) : (long)a[0]! / NotZero((long)a[1]!, "division by zero")),
        ("%", false, 2, a => (long)a[0]! % NotZero((long)a[1]!, "modulus by zero")),
        ("==", false, 2, a => CelValues.Same(a[0], a[1])),
        ("!=", false, 2, a => !CelValues.Same(a[0], a[1])),
        ("<", false, 2, a => CelValues.Compare(a[0], a[1], "<") < 0),
        ("<=", false, 2, a => CelValues.Compare(a[0], a[1], "<=") <= 0),
        (">", false, 2, a => CelValues.Compare(a[0], a[1], ">") > 0),
        (">=", false, 2, a => CelValues.Compare(a[0], a[1], ">=") >= 0),
        ("in", false, 2, a => CelValues.Contains(a[1], a[0])),
    ];

    private static IEnumerable<(string, bool, int, Func<object?[], object?>)> Conversions() =>
    [
        ("int", false, 1, a => a[0] switch
        {
            double number when Math.Abs(number) < long.MaxValue => (long)number,
            string text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
                ? whole : throw new CelException($"cannot convert string '{text}' to int"),
            DateTimeOffset time => time.ToUnixTimeSeconds(),
            _ => (long)a[0]!,
        }),
        ("uint", false, 1, a => (long)a[0]! is var whole and >= 0 ? whole : throw new CelException("unsigned integer overflow")),
        ("double", false, 1, a => a[0] switch
        {
            long whole => (double)whole,
            string text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number : throw new CelException($"cannot convert string '{text}' to double"),
            _ => (double)a[0]!,
        }),
        ("string", false, 1, a => a[0] is bool or long or double or string or DateTimeOffset or TimeSpan
            ? CelValues.Text(a[0]) : throw CelException.NoSuchOverload("string")),
        ("bool", false, 1, a => a[0] switch
        {
            "true" or "True" or "TRUE" or "t" or "1" => true,
            "false" or "False" or "FALSE" or "f" or "0" => false,
            _ => (bool)a[0]!,
        }),
        ("dyn", false, 1, a => a[0]),
        ("type", false, 1, a => new CelType(CelValues.TypeName(a[0]))),
        ("timestamp", false, 1, a => a[0] is DateTimeOffset ? a[0]
            : DateTimeOffset.TryParse((string)a[0]!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? time : throw new CelException($"invalid timestamp: {a[0]}")),
        ("duration", false, 1, a => a[0] is TimeSpan ? a[0] : Duration((string)a[0]!)),
    ];

    private static IEnumerable<(string, bool, int, Func<object?[], object?>)> Strings() =>
    [
        ("size", false, 1, a => Size(a[0])),
        ("size", true, 0, a => Size(a[0])),
        ("startsWith", true, 1, a => Text(a, 0).StartsWith(Text(a, 1), StringComparison.Ordinal)),
        ("endsWith", true, 1, a => Text(a, 0).EndsWith(Text(a, 1), StringComparison.Ordinal)),
        ("contains", true, 1, a => Text(a, 0).Contains(Text(a, 1), StringComparison.Ordinal)),
        ("matches", true, 1, a => Pattern(Text(a, 0), Text(a, 1), pattern => pattern.IsMatch(Text(a, 0)))),
        ("matches", false, 2, a => Pattern(Text(a, 0), Text(a, 1), pattern => pattern.IsMatch(Text(a, 0)))),
        ("find", true, 1, a => Pattern(Text(a, 0), Text(a, 1), pattern => pattern.Match(Text(a, 0)).Value)),
        ("findAll", true, 1, a => Pattern(Text(a, 0), Text(a, 1), pattern => pattern.Matches(Text(a, 0)).Select(match => (object?)match.Value).ToList())),
        ("lowerAscii", true, 0, a => Ascii(Text(a, 0), char.ToLowerInvariant)),
        ("upperAscii", true, 0, a => Ascii(Text(a, 0), char.ToUpperInvariant)),
        ("trim", true, 0, a => Text(a, 0).Trim()),
        ("replace", true, 2, a => Replace(Text(a, 0), Text(a, 1), Text(a, 2), -1)),
        ("replace", true, 3, a => Replace(Text(a, 0), Text(a, 1), Text(a, 2), (long)a[3]!)),
        ("split", true, 1, a => Split(Text(a, 0), Text(a, 1), -1)),
        ("split", true, 2, a => Split(Text(a, 0), Text(a, 1), (long)a[2]!)),
        ("substring", true, 1, a => Substring(Text(a, 0), (long)a[1]!, Text(a, 0).Length)),
        ("substring", true, 2, a => Substring(Text(a, 0), (long)a[1]!, (long)a[2]!)),
        ("charAt", true, 1, a => (long)a[1]! == Text(a, 0).Length ? "" : Substring(Text(a, 0), (long)a[1]!, (long)a[1]! + 1)),
        ("join", true, 0, a => string.Concat(Items(a[0]).Cast<string>())),
        ("join", true, 1, a => string.Join(Text(a, 1), Items(a[0]).Cast<string>())),
        ("format", true, 1, a => Format(Text(a, 0), Items(a[1]))),
        ("indexOf", true, 1, a => a[0] is string text ? text.IndexOf(Text(a, 1), StringComparison.Ordinal) : (long)Items(a[0]).ToList().FindIndex(item => CelValues.Same(item, a[1]))),
        ("lastIndexOf", true, 1, a => a[0] is string text ? text.LastIndexOf(Text(a, 1), StringComparison.Ordinal) : (long)Items(a[0]).ToList().FindLastIndex(item => CelValues.Same(item, a[1]))),
    ];

    private static IEnumerable<(string, bool, int, Func<object?[], object?>)> Lists() =>
    [
        ("sum", true, 0, a => Items(a[0]).Aggregate((object?)0L, (sum, item) => sum is 0L && item is not long ? item : Add(sum, item))),
        ("min", true, 0, a => Extreme(Items(a[0]), -1, "min")),
        ("max", true, 0, a => Extreme(Items(a[0]), 1, "max")),
        ("isSorted", true, 0, a => Items(a[0]).Zip(Items(a[0]).Skip(1)).All(pair => CelValues.Compare(pair.First, pair.Second, "<=") <= 0)),
        ("sets.contains", false, 2, a => Items(a[1]).All(item => CelValues.Contains(a[0], item))),
        ("sets.intersects", false, 2, a => Items(a[1]).Any(item => CelValues.Contains(a[0], item))),
        ("sets.equivalent", false, 2, a => Items(a[1]).All(item => CelValues.Contains(a[0], item)) && Items(a[0]).All(item => CelValues.Contains(a[1], item))),
    ];

    private static IEnumerable<(string, bool, int, Func<object?[], object?>)> Optionals() =>
    [
        ("optional.of", false, 1, a => new CelOptional(true, a[0])),
        ("optional.none", false, 0, _ => CelOptional.None),
        ("optional.ofNonZeroValue", false, 1, a => IsZero(a[0]) ? CelOptional.None : new CelOptional(true, a[0])),
        ("hasValue", true, 0, a => ((CelOptional)a[0]!).HasValue),
        ("value", true, 0, a => (CelOptional)a[0]! is { HasValue: true } there ? there.Value : throw new CelException("optional.none() dereference")),
        ("orValue", true, 1, a => (CelOptional)a[0]! is { HasValue: true } there ? there.Value : a[1]),
        ("or", true, 1, a => (CelOptional)a[0]! is { HasValue: true } there ? there : (CelOptional)a[1]!),
    ];

    private static IEnumerable<(string, bool, int, Func<object?[], object?>)> Quantity() =>
    [
        ("isQuantity", false, 1, a => Quantities.Nano(Text(a, 0)) is not null),
        ("quantity", false, 1, a => Quantities.Nano(Text(a, 0)) is { } nano
            ? new CelQuantity(nano)
            : throw new CelException("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")),
        ("isGreaterThan", true, 1, a => Compare(a) > 0),
        ("isLessThan", true, 1, a => Compare(a) < 0),
        ("compareTo", true, 1, a => (long)Compare(a)),
        ("isInteger", true, 0, a => (((CelQuantity)a[0]!).Nano % Billion).IsZero),
        ("asInteger", true, 0, a => (((CelQuantity)a[0]!).Nano % Billion).IsZero
            ? (long)(((CelQuantity)a[0]!).Nano / Billion) : throw new CelException("cannot convert value to integer")),
        ("asApproximateFloat", true, 0, a => (double)((CelQuantity)a[0]!).Nano / (double)Billion),
        ("add", true, 1, a => new CelQuantity(((CelQuantity)a[0]!).Nano + Nano(a[1]))),
        ("sub", true, 1, a => new CelQuantity(((CelQuantity)a[0]!).Nano - Nano(a[1]))),
    ];

    private static BigInteger Billion { get; } = BigInteger.Pow(10, 9);

    private static BigInteger Nano(object? value) => value is long whole ? whole * Billion : ((CelQuantity)value!).Nano;

    private static int Compare(object?[] values) => ((CelQuantity)values[0]!).Nano.CompareTo(((CelQuantity)values[1]!).Nano);

    private static string Text(object?[] values, int at) => values[at] as string ?? throw new InvalidCastException();

    private static IReadOnlyList<object?> Items(object? value) => value as IReadOnlyList<object?> ?? throw new InvalidCastException();

    private static object Add(object? left, object? right) => (left, right) switch
    {
        (double one, double other) => one + other,
        (string one, string other) => one + other,
        (IReadOnlyList<object?> one, IReadOnlyList<object?> other) => one.Concat(other).ToList(),
        (DateTimeOffset one, TimeSpan other) => one + other,
        (TimeSpan one, DateTimeOffset other) => other + one,
        (TimeSpan one, TimeSpan other) => one + other,
        (long one, long other) => checked(one + other),
        _ => throw CelException.NoSuchOverload($"{CelValues.TypeName(left)} + {CelValues.TypeName(right)}"),
    };

    private static object Subtract(object? left, object? right) => (left, right) switch
    {
        (double one, double other) => one - other,
        (DateTimeOffset one, DateTimeOffset other) => one - other,
        (DateTimeOffset one, TimeSpan other) => one - other,
        (TimeSpan one, TimeSpan other) => one - other,
        (long one, long other) => checked(one - other),
        _ => throw CelException.NoSuchOverload($"{CelValues.TypeName(left)} - {CelValues.TypeName(right)}"),
    };

    private static long NotZero(long value, string otherwise) => value != 0 ? value : throw new CelException(otherwise);

    private static long Size(object? value) => value switch
    {
        string text => text.EnumerateRunes().Count(),
        IReadOnlyList<object?> list => list.Count,
        IReadOnlyDictionary<object, object?> map => map.Count,
        _ => throw CelException.NoSuchOverload("size"),
    };

    private static bool IsZero(object? value) => value is null or false or 0L or 0.0 or "" or IReadOnlyList<object?> { Count: 0 } or IReadOnlyDictionary<object, object?> { Count: 0 };

    /// <summary>RE2 has no backtracking; .NET's engine without it reads the same patterns but for a few rare classes.</summary>
    private static object Pattern(string text, string pattern, Func<Regex, object> use)
    {
        try
        {
            return use(new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, PatternTime));
        }
        catch (Exception exception) when (exception is ArgumentException or RegexMatchTimeoutException or NotSupportedException)
        {
            throw new CelException($"error parsing regexp: {exception.Message} (on a text of {text.Length} characters)");
        }
    }

    private static string Ascii(string text, Func<char, char> change) => string.Concat(text.Select(letter => char.IsAscii(letter) ? change(letter) : letter));

    private static string Replace(string text, string what, string with, long most)
    {
        if (most < 0)
        {
            return what.Length == 0 ? with + string.Concat(text.Select(letter => letter + with)) : text.Replace(what, with, StringComparison.Ordinal);
        }

        var result = new StringBuilder();
        var from = 0;
        for (; most > 0 && what.Length > 0 && text.IndexOf(what, from, StringComparison.Ordinal) is var at and >= 0; most--)
        {
            result.Append(text, from, at - from).Append(with);
            from = at + what.Length;
        }

        return result.Append(text, from, text.Length - from).ToString();
    }

    private static List<object?> Split(string text, string separator, long most)
    {
        if (most == 0)
        {
            return [];
        }

        return separator.Length == 0
            ? [.. text.EnumerateRunes().Select(rune => (object?)rune.ToString())]
            : [.. text.Split(separator, most < 0 ? int.MaxValue : (int)Math.Min(most, int.MaxValue))];
    }

    private static string Substring(string text, long from, long to)
        => from >= 0 && to >= from && to <= text.Length ? text[(int)from..(int)to] : throw new CelException($"index out of range: {(from < 0 || from > text.Length ? from : to)}");

    private static string Format(string text, IReadOnlyList<object?> values)
    {
        var result = new StringBuilder();
        var next = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '%' || at + 1 == text.Length)
            {
                result.Append(text[at]);
                continue;
            }

            var verb = text[++at];
            if (verb == '%')
            {
                result.Append('%');
                continue;
            }

            var value = next < values.Count ? values[next++] : throw new CelException($"index {next} out of range");
            result.Append(verb switch
            {
                's' => CelValues.Text(value),
                'd' when value is long => CelValues.Text(value),
                'f' or 'e' when value is double number => number.ToString(verb == 'f' ? "F6" : "e6", CultureInfo.InvariantCulture),
                'x' when value is long whole => whole.ToString("x", CultureInfo.InvariantCulture),
                _ => throw new CelException($"could not parse formatting clause: unrecognized formatting clause \"{verb}\""),
            });
        }

        return result.ToString();
    }

    private static object? Extreme(IReadOnlyList<object?> items, int sign, string name)
        => items.Count == 0
            ? throw new CelException($"{name} called on empty list")
            : items.Aggregate((best, item) => CelValues.Compare(item, best, "<") * sign > 0 ? item : best);

    private static TimeSpan Duration(string text)
    {
        var negative = text.StartsWith('-');
        var total = TimeSpan.Zero;
        var rest = text.AsSpan(negative ? 1 : 0);
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                throw new CelException($"time: invalid duration \"{text}\"");
            }

            var letters = rest[digits..].IndexOfAny("0123456789.");
            var unit = letters < 0 ? rest[digits..] : rest.Slice(digits, letters);
            total += number * unit switch
            {
                "h" => TimeSpan.FromHours(1),
                "m" => TimeSpan.FromMinutes(1),
                "s" => TimeSpan.FromSeconds(1),
                "ms" => TimeSpan.FromMilliseconds(1),
                "us" or "µs" => TimeSpan.FromMicroseconds(1),
                _ => throw new CelException($"time: unknown unit \"{unit}\" in duration \"{text}\""),
            };
            rest = rest[(digits + unit.Length)..];
        }

        return negative ? -total : total;
    }
}
