using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>Reads deploy.yaml into <see cref="DeploySettings"/>.</summary>
public sealed class SettingsReader
{
    /// <summary>Reads and checks a file.</summary>
    /// <param name="path">Absolute path of deploy.yaml.</param>
    /// <exception cref="SettingsException">The file is missing or wrong; the message says where.</exception>
    public DeploySettings Read(string path)
    {
        var shown = Shown(path);
        try
        {
            return Parse(File.ReadAllText(path), path, shown);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SettingsException(
                shown,
                0,
                0,
                "there is no such file",
                "Run this in the repository of your app, or name the file with --settings=FILE.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException(shown, 0, 0, $"cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>Reads and checks text.</summary>
    /// <param name="text">The text of deploy.yaml.</param>
    /// <param name="path">Absolute path of the file that it is of.</param>
    /// <param name="shown">The file, as errors name it.</param>
    internal static DeploySettings Parse(string text, string path, string shown)
    {
        var nodes = new SettingsNodes(shown);
        var binder = new SettingsBinder(nodes);
        var settings = binder.Bind<DeploySettings>(nodes.Parse(text));
        new SettingsRules(nodes, binder).Check(settings);
        return settings with
        {
            File = path,
            Environments = settings.Environments.ToImmutableDictionary(
                environment => environment.Key,
                environment => environment.Value with { Name = environment.Key },
                StringComparer.Ordinal),
        };
    }

    // As an operator would type it, where that is shorter.
    private static string Shown(string path)
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
