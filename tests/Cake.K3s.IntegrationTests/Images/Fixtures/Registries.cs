using Cake.K3s.Environments;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>Registry clients with short waits.</summary>
internal static class Registries
{
    public static RegistryClients Clients(RecordingReporter? reporter = null)
    {
        var mask = new SecretMask();
        return new(new DockerCredentials(new CommandRunner(mask, TimeProvider.System), mask), mask, reporter ?? new(), TimeProvider.System)
        {
            Retries = new(5, TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(50)),
        };
    }

    public static RegistryClient Open(RegistryConnection connection) => Clients().Open(connection);
}
