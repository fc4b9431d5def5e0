using System.Collections.Frozen;
using System.Text;
using System.Xml;

namespace Cake.K3s.Sandbox.ApiServer.OpenApi;

/// <summary>The descriptions of the built-in kinds, from KubernetesClient's documentation file.</summary>
internal sealed class DocumentationFile(FrozenDictionary<string, string> members)
{
    /// <summary>The description of a member (<c>P:k8s.Models.V1Pod.Spec</c>), or the text itself when it is not a member.</summary>
    public string Describe(string? documentation)
    {
        if (documentation is null)
        {
            return "";
        }

        return documentation.StartsWith("P:", StringComparison.Ordinal) || documentation.StartsWith("T:", StringComparison.Ordinal)
            ? members.GetValueOrDefault(documentation, "")
            : documentation;
    }

    /// <summary>Reads what the build has put into this assembly.</summary>
    public static DocumentationFile Load()
    {
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        using var reader = XmlReader.Create(typeof(DocumentationFile).Assembly.GetManifestResourceStream("Descriptions.xml")!, new XmlReaderSettings { IgnoreWhitespace = false, DtdProcessing = DtdProcessing.Prohibit });
        while (reader.ReadToFollowing("member"))
        {
            var name = reader.GetAttribute("name") ?? "";
            if (reader.ReadToDescendant("summary"))
            {
                members[name] = Flow(reader.ReadElementContentAsString());
            }
        }

        return new DocumentationFile(members.ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>Takes the line breaks of the file out; empty lines end paragraphs.</summary>
    private static string Flow(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var line in text.Split('\n'))
        {
            var trimmed = line.Trim();
            if (trimmed.Length == 0)
            {
                if (result.Length > 0 && result[^1] != '\n')
                {
                    result.Append("\n\n");
                }

                continue;
            }

            if (result.Length > 0 && result[^1] != '\n')
            {
                result.Append(' ');
            }

            result.Append(trimmed);
        }

        return result.ToString().Trim();
    }
}
