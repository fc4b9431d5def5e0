using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Cake.K3s.Settings.Schema;

/// <summary>The XML documentation of the settings types, as plain text for people who edit deploy.yaml.</summary>
internal sealed class SettingsDocumentation
{
    private readonly Dictionary<string, XElement> _summaries;

    private SettingsDocumentation(Dictionary<string, XElement> summaries) => _summaries = summaries;

    /// <summary>Reads the file that the compiler writes beside the assembly.</summary>
    /// <exception cref="K3sException">It is not there, as where the library came as a package.</exception>
    public static SettingsDocumentation OfLibrary()
    {
        var file = Path.ChangeExtension(typeof(DeploySettings).Assembly.Location, ".xml");
        return File.Exists(file)
            ? new(XDocument.Load(file).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value, member => member.Element("summary") ?? member))
            : throw new K3sException(
                ExitCodes.RequirementMissing,
                $"the schema's descriptions come from {file}, which does not exist",
                "Run this in the repository of the library; a package brings the schema with it.");
    }

    /// <summary>What a type is, or null.</summary>
    public string? Of(Type type) => Text($"T:{type.FullName}");

    /// <summary>What a property is, or null.</summary>
    public string? Of(PropertyInfo property) => Text($"P:{property.DeclaringType!.FullName}.{property.Name}");

    private string? Text(string member) =>
        _summaries.TryGetValue(member, out var summary) ? Regex.Replace(string.Concat(summary.Nodes().Select(Text)), @"\s+", " ").Trim() : null;

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => $"'{Name(see.Attribute("cref")?.Value ?? see.Value)}'",
        XElement { Name.LocalName: "c" } code => $"'{code.Value}'",
        XElement other => string.Concat(other.Nodes().Select(Text)),
        _ => "",
    };

    // "P:Cake.K3s.Settings.ImageSettings.Prepare" is 'prepare' in the file.
    private static string Name(string reference) =>
        reference.StartsWith("P:", StringComparison.Ordinal) ? SettingsKey.CamelCase(reference[(reference.LastIndexOf('.') + 1)..]) : reference[(reference.LastIndexOf('.') + 1)..];
}
