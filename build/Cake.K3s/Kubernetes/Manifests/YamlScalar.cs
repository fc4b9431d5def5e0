using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>
/// What a scalar without quotes means to kubectl, which reads YAML 1.1 through Go's yaml.v2 (its resolve.go is the source of these
/// rules): <c>0644</c> is 420, <c>on</c> is true, <c>1_000</c> is 1000, <c>1:30</c> and dates are text.
/// </summary>
internal static partial class YamlScalar
{
    /// <summary>The scalar's value: null, a bool, a long, a ulong, a double or the text itself.</summary>
    public static object? Resolve(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON":
                return true;
            case "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF":
                return false;
            case ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF":
                return double.PositiveInfinity;
            case "-.inf" or "-.Inf" or "-.INF":
                return double.NegativeInfinity;
            case ".nan" or ".NaN" or ".NAN":
                return double.NaN;
        }

        if (text[0] is not ('+' or '-' or '.' or (>= '0' and <= '9')))
        {
            return text;
        }

        var plain = text.Replace("_", "", StringComparison.Ordinal);
        return Integer(plain)
            ?? (Float().IsMatch(plain) && double.Parse(plain, NumberStyles.Float, CultureInfo.InvariantCulture) is var number && double.IsFinite(number)
                ? number
                : text);
    }

    /// <summary>The value as JSON.</summary>
    /// <exception cref="FormatException">It is infinite or no number, which JSON cannot say.</exception>
    public static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        bool flag => JsonValue.Create(flag),
        long number => JsonValue.Create(number),
        double number when !double.IsFinite(number) => throw new FormatException("an infinite number cannot be sent to Kubernetes"),

        // Go writes a float without a fraction as a whole number.
        double number when number == Math.Truncate(number) && Math.Abs(number) < 1e15 => JsonValue.Create((long)number),
        double number => JsonValue.Create(number),
        var text => JsonValue.Create((string)text),
    };

    /// <summary>The value as the name of a member, which JSON wants to be text.</summary>
    public static string? ToMemberName(object? value) => value switch
    {
        null => null,
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        var text => (string)text,
    };

    /// <summary>Go's ParseInt with base 0: 0x, 0b, 0o, and a leading 0 for octal.</summary>
    private static object? Integer(string text)
    {
        var negative = text.StartsWith('-');
        var digits = text.AsSpan(text[0] is '+' or '-' ? 1 : 0);
        var (radix, start) = digits switch
        {
            ['0', 'x' or 'X', _, ..] => (16, 2),
            ['0', 'o' or 'O', _, ..] => (8, 2),
            ['0', 'b' or 'B', _, ..] => (2, 2),
            ['0', _, ..] => (8, 1),
            _ => (10, 0),
        };
        digits = digits[start..];
        if (digits.IsEmpty)
        {
            return null;
        }

        UInt128 value = 0;
        foreach (var character in digits)
        {
            var digit = char.IsAsciiHexDigit(character) ? Convert.ToInt32(character.ToString(), 16) : radix;
            if (digit >= radix || value > ulong.MaxValue)
            {
                return null;
            }

            value = (value * (uint)radix) + (uint)digit;
        }

        var limit = negative ? (UInt128)1 << 63 : (UInt128)long.MaxValue;
        return value > limit ? (value <= ulong.MaxValue && !negative ? (double)value : null) : negative ? (long)-(Int128)value : (long)value;
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Float();
}
