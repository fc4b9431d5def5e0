namespace Cake.K3s.Settings;

/// <summary>Chooses an environment by name.</summary>
public static class EnvironmentChoice
{
    /// <summary>The environment of that name, or the default one.</summary>
    /// <param name="settings">deploy.yaml.</param>
    /// <param name="name">The value of <c>--environment</c>; null for the default.</param>
    /// <exception cref="SettingsException">There is none of that name.</exception>
    public static EnvironmentSettings EnvironmentNamed(this DeploySettings settings, string? name)
    {
        var wanted = name ?? settings.DefaultEnvironment;
        return settings.Environments.TryGetValue(wanted, out var environment)
            ? environment
            : throw new SettingsException(
                settings.File,
                0,
                0,
                $"there is no environment '{wanted}'; there are: {string.Join(", ", settings.Environments.Keys.Order())}",
                name is null ? null : "Name one of them with --environment, or add it under environments.");
    }
}
