using Cake.K3s.Hosting;
using Cake.K3s.Settings;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Targets;

/// <summary>The names of the environments in deploy.yaml, of one that is half written too.</summary>
internal sealed class EnvironmentNames(RunOptions options)
{
    /// <summary>Reads them; none where the file is not there or not YAML.</summary>
    public IReadOnlyList<string> Read()
    {
        try
        {
            return new SettingsNodes(options.SettingsFile).Parse(File.ReadAllText(options.SettingsFile)) is YamlMappingNode root
                && root.Children.TryGetValue("environments", out var found) && found is YamlMappingNode environments
                ? [.. environments.Children.Keys.OfType<YamlScalarNode>().Select(name => name.Value).OfType<string>()]
                : [];
        }
        catch (Exception unreadable) when (unreadable is SettingsException or IOException or UnauthorizedAccessException)
        {
            return []; // A completion without them is better than none; every run that needs the file says what is wrong.
        }
    }
}
