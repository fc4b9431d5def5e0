using System.Globalization;
using Cake.K3s.Settings;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Hardening.Nodes.SshPort;

/// <summary>A node's port in the text of deploy.yaml.</summary>
internal static class InventoryPort
{
    /// <summary>The text with another port for a node that has one; no other letter of it changes.</summary>
    /// <exception cref="SettingsException">It is no deploy.yaml any more.</exception>
    public static string Set(string text, string file, string environment, string node, int port) =>
        text.Length > 0
        && At(At(At(new SettingsNodes(file).Parse(text), "environments"), environment), "nodes") is YamlSequenceNode nodes
        && nodes.FirstOrDefault(candidate => At(candidate, "name") is YamlScalarNode { Value: { } name } && name == node) is { } entry
        && At(entry, "port") is YamlScalarNode scalar
            ? string.Concat(text.AsSpan(0, (int)scalar.Start.Index), port.ToString(CultureInfo.InvariantCulture), text.AsSpan((int)scalar.End.Index))
            : text;

    private static YamlNode? At(YamlNode? node, string key) => node is YamlMappingNode mapping && mapping.Children.TryGetValue(key, out var value) ? value : null;
}
