using System.Globalization;
using System.Text;

namespace Cake.K3s.Settings.Schema;

/// <summary>The reference page of deploy.yaml, made of the same types and comments as the schema.</summary>
internal sealed class SettingsReference(SettingsDocumentation documentation)
{
    private readonly Queue<(Type Type, string Heading)> _waiting = new();
    private readonly Dictionary<Type, string> _headings = [];

    /// <summary>The text of the page.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        Append(text, $"# Settings\n\n{ReferencePage.Mark}\n\n");
        text.Append("Every key of deploy.yaml. An editor that knows [deploy.schema.json](../deploy.schema.json) completes and checks them; a key that is not\n");
        text.Append("listed is an error, told with file, line and column. Paths are relative to the directory of deploy.yaml.\n");
        HeadingOf(typeof(DeploySettings), "deploy.yaml");
        while (_waiting.TryDequeue(out var next))
        {
            WriteRecord(text, next.Type, next.Heading);
        }

        return text.ToString();
    }

    private void WriteRecord(StringBuilder text, Type type, string heading)
    {
        var seen = SettingsType.Of(type);
        var defaults = Activator.CreateInstance(type)!;
        Append(text, $"\n## {heading}\n\n{Sentence(documentation.Of(type))}\n\n");
        if (!seen.ExactlyOneOf.IsEmpty)
        {
            Append(text, $"Exactly one of {string.Join(", ", seen.ExactlyOneOf.Select(key => $"`{key.Name}`"))} is set.\n\n");
        }

        text.Append("| key | value | default | |\n|---|---|---|---|\n");
        foreach (var key in seen.Keys)
        {
            var value = ValueOf(key.ValueType, key, type == typeof(DeploySettings) ? key.Name : $"{heading}.{key.Name}");
            Append(text, $"| `{key.Name}` | {value} | {(key.IsRequired ? "**required**" : Default(key.Property.GetValue(defaults)))} | {Cell(Sentence(documentation.Of(key.Property)))} |\n");
        }
    }

    private string ValueOf(Type type, SettingsKey key, string path)
    {
        if (SettingsType.ElementOfList(type) is { } element)
        {
            return "list of " + ValueOf(element, key, path);
        }

        if (SettingsType.ValueOfMapping(type) is { } value)
        {
            return "by name: " + ValueOf(value, key, path + ".NAME");
        }

        if (SettingsType.IsRecord(type))
        {
            var heading = HeadingOf(type, type == typeof(SecretSource) ? "Where a secret comes from" : path);
            return $"[{heading}](#{ReferencePage.Anchor(heading)})";
        }

        return type == typeof(bool) ? "`true` or `false`"
            : type == typeof(int) ? key.Between is { } between ? string.Create(CultureInfo.InvariantCulture, $"{between.Least} to {between.Greatest}") : "number"
            : type == typeof(Duration) ? "time, such as `90s`"
            : type.IsEnum ? string.Join(", ", Enum.GetNames(type).Select(name => $"`{SettingsKey.CamelCase(name)}`"))
            : "text";
    }

    private string HeadingOf(Type type, string heading)
    {
        if (_headings.TryAdd(type, heading))
        {
            _waiting.Enqueue((type, heading));
        }

        return _headings[type];
    }

    private static string Default(object? value) => value switch
    {
        string { Length: > 0 } text => $"`{text}`",
        bool flag => flag ? "`true`" : "`false`",
        int number => number.ToString(CultureInfo.InvariantCulture),
        Duration duration => $"`{duration}`",
        Enum member => $"`{SettingsKey.CamelCase(member.ToString())}`",
        System.Collections.Immutable.ImmutableArray<string> { IsEmpty: false } list => string.Join(", ", list.Select(item => $"`{item}`")),
        _ => "",
    };

    // Quoted names are code; a schema knows only plain text.
    private static string Sentence(string? summary) => System.Text.RegularExpressions.Regex.Replace(summary ?? "", @"(?<=^|[\s(])'([^']+)'", "`$1`");

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static void Append(StringBuilder text, FormattableString value) => text.Append(value.ToString(CultureInfo.InvariantCulture));
}
