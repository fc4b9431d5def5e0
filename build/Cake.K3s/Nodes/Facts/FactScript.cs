using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cake.K3s.Nodes.Changes;

namespace Cake.K3s.Nodes.Facts;

/// <summary>One script that reads the facts of all sources, and how its output is read.</summary>
internal static class FactScript
{
    private const string System = "-system";

    /// <summary>The script. Each section is one line: the source's name and its output as base64.</summary>
    public static string Of(IReadOnlyCollection<IFactSource> sources)
    {
        var script = new StringBuilder($$"""
            section() {
            facts=$("$2" 2>/dev/null | base64 -w0)
            for name in $1; do echo "$name $facts"; done
            }
            facts_system() {
            printf 'client=%s\nserver=%s\nport=%s\n' "$client" "$server" "$port"
            ( . /etc/os-release; printf 'name=%s\nids=%s\n' "$PRETTY_NAME" "$ID $ID_LIKE" )
            for unit in k3s k3s-agent; do [ -e /etc/systemd/system/$unit.service ] && echo k3s=$unit; done
            [ -d {{ChangeScripts.Armed}} ] && printf 'unfinished=%s\n' "$(cat {{ChangeScripts.Armed}}/control)"
            for original in {{ChangeScripts.Root}}/*/original; do [ -d "$original" ] && printf 'applied=%s\n' "$(basename "$(dirname "$original")")"; done
            }
            client=$1 server=$3 port=$4
            section {{System}} facts_system

            """);
        foreach (var shared in sources.SelectMany(source => source.SharedScripts).Distinct())
        {
            script.Append(CultureInfo.InvariantCulture, $"{{ {shared}\n}} 2>/dev/null\n");
        }

        // Sources that ask the same, as all of UFW's do, are answered together.
        foreach (var alike in sources.GroupBy(source => source.FactScript, source => source.Name))
        {
            var function = $"facts_{alike.First()}";
            script.Append(CultureInfo.InvariantCulture, $"{function}() {{\n{alike.Key}\n}}\nsection '{string.Join(' ', alike)}' {function}\n");
        }

        return script.ToString();
    }

    /// <summary>Reads the script's output.</summary>
    /// <exception cref="NodeException">It was cut off.</exception>
    public static NodeFacts Read(string node, string output)
    {
        var sections = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 2))
            .Where(parts => parts.Length == 2)
            .ToImmutableDictionary(parts => parts[0], parts => Decode(parts[1]), StringComparer.Ordinal);
        var facts = new NodeFacts(node, "", "", 0, "", false, null, [], sections);
        return facts with
        {
            OperatorAddress = facts.Value(System, "client"),
            Address = facts.Value(System, "server"),
            SshPort = int.TryParse(facts.Value(System, "port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? port
                : throw new NodeException(node, $"node {node} did not tell its facts", "Run it again; the connection may have been cut."),
            System = facts.Value(System, "name") is { Length: > 0 } name ? name : "an unknown system",
            IsDebianFamily = facts.Value(System, "ids").Split(' ').Intersect(["debian", "ubuntu"]).Any(),
            Unfinished = facts.Values(System, "unfinished").FirstOrDefault(),
            Applied = [.. facts.Values(System, "applied")],
            K3s = facts.Value(System, "k3s") switch
            {
                "k3s" => K3sRole.Server,
                "k3s-agent" => K3sRole.Agent,
                _ => K3sRole.None,
            },
        };
    }

    private static string Decode(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));
}
