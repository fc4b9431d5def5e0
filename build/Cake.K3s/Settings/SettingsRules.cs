using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Settings;

/// <summary>What must hold between the parts of deploy.yaml, beyond what the types say of each.</summary>
internal sealed class SettingsRules(SettingsNodes nodes, SettingsBinder binder)
{
    /// <summary>Checks all rules.</summary>
    /// <exception cref="SettingsException">One does not hold; the message says where.</exception>
    public void Check(DeploySettings settings)
    {
        var environmentNames = settings.Environments.Keys.Order(StringComparer.Ordinal).ToList();
        if (binder.Origin(settings, "defaultEnvironment") is YamlScalarNode chosen && !settings.Environments.ContainsKey(settings.DefaultEnvironment))
        {
            throw nodes.Unknown(chosen, "environment", settings.DefaultEnvironment, environmentNames);
        }

        if (settings.Images.Values.SelectMany(image => image.Secrets.Values).FirstOrDefault(secret => secret.Sandbox is not null) is { } source)
        {
            throw nodes.At(binder.Origin(source), "a build secret is no service of the sandbox, expected 'variable', 'file' or 'command'");
        }

        foreach (var environment in environmentNames.Select(name => settings.Environments[name]))
        {
            Check(environment, settings);
        }
    }

    private void Check(EnvironmentSettings environment, DeploySettings settings)
    {
        var origin = binder.Origin(environment);
        if (environment is { Cluster: not null, Registry: null })
        {
            throw nodes.At(origin, "an environment with a cluster has no 'registry', which is required: the cluster's nodes pull from it");
        }

        if (environment is { Sandbox: not null, Registry: { } registry })
        {
            throw nodes.At(binder.Origin(registry), "the sandbox has a registry of its own, expected no 'registry' beside 'sandbox'");
        }

        foreach (var image in environment.Arguments.Keys.Where(image => !settings.Images.ContainsKey(image)))
        {
            throw nodes.Unknown(binder.OriginOfName(environment, "arguments", image), "image", image, [.. settings.Images.Keys.Order(StringComparer.Ordinal)]);
        }

        foreach (var name in environment.Secrets.Keys.Where(environment.Variables.ContainsKey))
        {
            throw nodes.At(binder.OriginOfName(environment, "secrets", name), $"'{name}' is both a variable and a secret, expected one of them");
        }

        if (environment.Sandbox is null && environment.Secrets.Values.FirstOrDefault(source => source.Sandbox is not null) is { } source)
        {
            throw nodes.At(binder.Origin(source), "only a sandbox environment has secrets from the sandbox, expected 'variable', 'file' or 'command'");
        }

        var twice = environment.Nodes.GroupBy(node => node.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
        {
            throw nodes.At(binder.Origin(twice.Last()), $"there are two nodes of the name '{twice.Key}'");
        }
    }
}
