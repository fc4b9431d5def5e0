using System.Globalization;
using System.Text;

namespace Cake.K3s.Sandbox.Cel;

/// <summary>Splits an expression into words.</summary>
internal sealed class CelLexer(string text)
{
    private static readonly string[] Signs =
        ["&&", "||", "==", "!=", "<=", ">=", ".", ",", ":", "?", "(", ")", "[", "]", "{", "}", "<", ">", "!", "-", "+", "*", "/", "%"];

    private int _at;

    /// <exception cref="CelException">There is something that is no word of the language.</exception>
    public List<CelToken> Read()
    {
        var tokens = new List<CelToken>();
        while (true)
        {
            SkipBlanks();
            if (_at >= text.Length)
            {
                tokens.Add(new CelToken(CelTokenKind.End, "<EOF>", null, _at));
                return tokens;
            }

            tokens.Add(Next());
        }
    }

    /// <summary>An error at a place in the text, as the API server shows it.</summary>
    public static CelException Error(string text, int at, string what)
    {
        var start = at == 0 ? 0 : text.LastIndexOf('\n', Math.Min(at, text.Length) - 1) + 1;
        var end = text.IndexOf('\n', start);
        var line = text.AsSpan(0, start).Count('\n') + 1;
        return new CelException($"ERROR: <input>:{line}:{at - start + 1}: {what}\n | {text[start..(end < 0 ? text.Length : end)]}\n | {new string('.', at - start)}^");
    }

    private void SkipBlanks()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }
            else if (text.AsSpan(_at).StartsWith("//"))
            {
                var end = text.IndexOf('\n', _at);
                _at = end < 0 ? text.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private CelToken Next()
    {
        var start = _at;
        var letter = text[_at];
        if (letter is '"' or '\'' || (letter is 'r' or 'R' && _at + 1 < text.Length && text[_at + 1] is '"' or '\''))
        {
            return new CelToken(CelTokenKind.Literal, "", ReadString(), start);
        }

        if (char.IsAsciiDigit(letter) || (letter == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
        {
            return new CelToken(CelTokenKind.Literal, "", ReadNumber(), start);
        }

        if (char.IsAsciiLetter(letter) || letter == '_')
        {
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
            {
                _at++;
            }

            var word = text[start.._at];
            return word switch
            {
                "true" => new CelToken(CelTokenKind.Literal, word, true, start),
                "false" => new CelToken(CelTokenKind.Literal, word, false, start),
                "null" => new CelToken(CelTokenKind.Literal, word, null, start),
                "in" => new CelToken(CelTokenKind.Sign, word, null, start),
                _ => new CelToken(CelTokenKind.Identifier, word, null, start),
            };
        }

        foreach (var sign in Signs)
        {
            if (text.AsSpan(_at).StartsWith(sign, StringComparison.Ordinal))
            {
                _at += sign.Length;
                return new CelToken(CelTokenKind.Sign, sign, null, start);
            }
        }

        throw Error(text, start, $"Syntax error: token recognition error at: '{letter}'");
    }

    private object ReadNumber()
    {
        var start = _at;
        if (text.AsSpan(_at).StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            _at += 2;
            while (_at < text.Length && char.IsAsciiHexDigit(text[_at]))
            {
                _at++;
            }

            return long.TryParse(text.AsSpan(start + 2, _at - start - 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex)
                ? hex
                : throw Error(text, start, "invalid int literal");
        }

        var fraction = false;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || IsPartOfDouble()))
        {
            fraction |= !char.IsAsciiDigit(text[_at]);
            _at++;
        }

        var digits = text.AsSpan(start, _at - start);
        if (fraction)
        {
            return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Error(text, start, "invalid double literal");
        }

        if (_at < text.Length && text[_at] is 'u' or 'U')
        {
            // Unsigned numbers only differ in their range, which no field of a Kubernetes object needs.
            _at++;
        }

        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? whole : throw Error(text, start, "invalid int literal");
    }

    private bool IsPartOfDouble() => text[_at] switch
    {
        '.' => _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1]),
        'e' or 'E' => true,
        '+' or '-' => text[_at - 1] is 'e' or 'E',
        _ => false,
    };

    private string ReadString()
    {
        var start = _at;
        var raw = text[_at] is 'r' or 'R';
        _at += raw ? 1 : 0;
        var quote = text[_at].ToString();
        var end = text.AsSpan(_at).StartsWith(quote + quote + quote, StringComparison.Ordinal) ? quote + quote + quote : quote;
        _at += end.Length;
        var result = new StringBuilder();
        while (true)
        {
            if (_at >= text.Length || (end.Length == 1 && text[_at] == '\n'))
            {
                throw Error(text, start, "Syntax error: unterminated string");
            }

            if (text.AsSpan(_at).StartsWith(end, StringComparison.Ordinal))
            {
                _at += end.Length;
                return result.ToString();
            }

            if (text[_at] == '\\' && !raw)
            {
                result.Append(ReadEscape(start));
            }
            else
            {
                result.Append(text[_at++]);
            }
        }
    }

    private string ReadEscape(int start)
    {
        var sign = _at + 1 < text.Length ? text[_at + 1] : '\0';
        _at += 2;
        switch (sign)
        {
            case 'n':
                return "\n";
            case 't':
                return "\t";
            case 'r':
                return "\r";
            case 'a':
                return "\a";
            case 'b':
                return "\b";
            case 'f':
                return "\f";
            case 'v':
                return "\v";
            case '\\' or '\'' or '"' or '`' or '?':
                return sign.ToString();
        }

        var (from, length, digits) = sign switch
        {
            'x' or 'X' => (_at, 2, NumberStyles.AllowHexSpecifier),
            'u' => (_at, 4, NumberStyles.AllowHexSpecifier),
            'U' => (_at, 8, NumberStyles.AllowHexSpecifier),
            >= '0' and <= '3' => (_at - 1, 3, NumberStyles.None),
            _ => throw Error(text, start, "Syntax error: invalid escape sequence"),
        };
        if (from + length > text.Length || !TryReadRune(text.AsSpan(from, length), digits, out var rune))
        {
            throw Error(text, start, "Syntax error: invalid escape sequence");
        }

        _at = from + length;
        return rune.ToString();
    }

    private static bool TryReadRune(ReadOnlySpan<char> digits, NumberStyles style, out Rune rune)
    {
        rune = default;
        if (style == NumberStyles.AllowHexSpecifier)
        {
            return int.TryParse(digits, style, CultureInfo.InvariantCulture, out var hex) && Rune.TryCreate(hex, out rune);
        }

        var value = 0;
        foreach (var digit in digits)
        {
            if (digit is < '0' or > '7')
            {
                return false;
            }

            value = (value * 8) + digit - '0';
        }

        return Rune.TryCreate(value, out rune);
    }
}
