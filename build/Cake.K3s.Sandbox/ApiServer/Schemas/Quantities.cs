using System.Globalization;
using System.Numerics;

namespace Cake.K3s.Sandbox.ApiServer.Schemas;

/// <summary>Resource quantities: <c>500m</c>, <c>1.5Gi</c>, <c>1e3</c>, in the canonical form that the API keeps.</summary>
internal static class Quantities
{
    private static readonly (string Suffix, int Exponent)[] Binary =
        [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

    private static readonly (string Suffix, int Exponent)[] Decimal =
        [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

    /// <summary>The value in billionths; null when the text is not a quantity.</summary>
    public static BigInteger? Nano(string text) => Parse(text)?.Nano;

    /// <summary>The form that the API keeps: whole digits and the largest suffix; null when the text is not a quantity.</summary>
    public static string? Canonical(string text)
    {
        if (Parse(text) is not { } parsed)
        {
            return null;
        }

        return Format(parsed.Nano, parsed.Format);
    }

    /// <summary>Writes billionths as a decimal quantity, or a binary one.</summary>
    public static string Format(BigInteger nano, bool binary) => Format(nano, binary ? Notation.Binary : Notation.Decimal);

    private static string Format(BigInteger nano, Notation notation)
    {
        if (nano.IsZero)
        {
            return "0";
        }

        var one = BigInteger.Pow(10, 9);
        if (notation == Notation.Binary && BigInteger.Abs(nano) >= 1024 * one && (nano % one).IsZero)
        {
            var whole = nano / one;
            var (suffix, exponent) = ("", 0);
            foreach (var unit in Binary)
            {
                if ((whole % (BigInteger.One << unit.Exponent)).IsZero)
                {
                    (suffix, exponent) = unit;
                }
            }

            return (whole >> exponent).ToString(CultureInfo.InvariantCulture) + suffix;
        }

        var best = Decimal[0];
        foreach (var unit in Decimal)
        {
            if ((nano % BigInteger.Pow(10, unit.Exponent + 9)).IsZero)
            {
                best = unit;
            }
        }

        var digits = (nano / BigInteger.Pow(10, best.Exponent + 9)).ToString(CultureInfo.InvariantCulture);
        return notation == Notation.Exponent
            ? digits + (best.Exponent == 0 ? "" : "e" + best.Exponent.ToString(CultureInfo.InvariantCulture))
            : digits + best.Suffix;
    }

    private static (BigInteger Nano, Notation Format)? Parse(string text)
    {
        var end = text.AsSpan().IndexOfAnyExcept("+-.0123456789");
        var number = end < 0 ? text : text[..end];
        var suffix = end < 0 ? "" : text[end..];
        if (number.Length == 0 || !decimal.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        foreach (var (name, exponent) in Binary)
        {
            if (name == suffix)
            {
                return (Scale(value, BigInteger.One << exponent), Notation.Binary);
            }
        }

        foreach (var (name, exponent) in Decimal)
        {
            if (name == suffix)
            {
                return (exponent < 0 ? RoundUp(value, exponent) : Scale(value, BigInteger.Pow(10, exponent)), Notation.Decimal);
            }
        }

        if (suffix[0] is 'e' or 'E' && int.TryParse(suffix.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power) && power is > -28 and < 28)
        {
            return (power < 0 ? RoundUp(value, power) : Scale(value, BigInteger.Pow(10, power)), Notation.Exponent);
        }

        return null;
    }

    /// <summary>Billionths, rounded away from zero as the API does.</summary>
    private static BigInteger Scale(decimal value, BigInteger factor)
    {
        var bits = decimal.GetBits(value);
        var scale = (bits[3] >> 16) & 0x7F;
        var unscaled = new BigInteger((uint)bits[0]) + (new BigInteger((uint)bits[1]) << 32) + (new BigInteger((uint)bits[2]) << 64);
        var nano = unscaled * factor * BigInteger.Pow(10, 9);
        var divisor = BigInteger.Pow(10, scale);
        var result = (nano + divisor - 1) / divisor;
        return bits[3] < 0 ? -result : result;
    }

    private static BigInteger RoundUp(decimal value, int exponent)
    {
        var nano = Scale(value, BigInteger.One);
        var divisor = BigInteger.Pow(10, -exponent);
        return nano.Sign < 0 ? -((-nano + divisor - 1) / divisor) : (nano + divisor - 1) / divisor;
    }

    private enum Notation
    {
        Decimal,
        Binary,
        Exponent,
    }
}
