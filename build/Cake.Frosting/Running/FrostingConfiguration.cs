using Cake.Core;
using Cake.Core.Configuration;
using Cake.Core.IO;

namespace Cake.Frosting.Running;

/// <summary>Cake's configuration, later ones win: the host's settings, <c>CAKE_</c> variables, cake.config, the command line.</summary>
internal sealed class FrostingConfiguration : ICakeConfiguration
{
    private readonly ICakeConfiguration _configuration;

    public FrostingConfiguration(IEnumerable<CakeSetting> settings, IFileSystem fileSystem, ICakeEnvironment environment, ICakeArguments arguments)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var setting in settings)
        {
            values[setting.Key] = setting.Value;
        }

        var commandLine = arguments.GetArguments()
            .ToDictionary(argument => argument.Key, argument => argument.Value.FirstOrDefault() ?? string.Empty, StringComparer.OrdinalIgnoreCase);
        _configuration = new CakeConfigurationProvider(fileSystem, environment)
            .CreateConfiguration(environment.WorkingDirectory, values, commandLine);
    }

    public string? GetValue(string key) => _configuration.GetValue(key);
}
