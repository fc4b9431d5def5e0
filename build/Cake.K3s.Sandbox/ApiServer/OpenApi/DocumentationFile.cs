using System.Collections.Frozen;
using System.Text;
using System.Xml;
using k8s.Models;

namespace Cake.K3s.Sandbox.ApiServer.OpenApi;

/// <summary>The descriptions of the built-in kinds: KubernetesClient's documentation file, where it lies beside the library.</summary>
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

    /// <summary>Reads the file; without one there are no descriptions.</summary>
    public static DocumentationFile Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "KubernetesClient.xml");
        if (!File.Exists(path))
        {
            return new DocumentationFile(FrozenDictionary<string, string>.Empty);
        }

        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        using var reader = XmlReader.Create(path, new XmlReaderSettings { IgnoreWhitespace = false, DtdProcessing = DtdProcessing.Prohibit });
        var models = typeof(V1Pod).Namespace!;
        while (reader.ReadToFollowing("member"))
        {
            var name = reader.GetAttribute("name") ?? "";
            if (name.Length > 2 && name[0] is 'P' or 'T' && name.AsSpan(2).StartsWith(models) && reader.ReadToDescendant("summary"))
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
