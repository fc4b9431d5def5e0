using Cake.Core;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Registry;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Diagnosis;

/// <summary>Registers what this folder offers.</summary>
internal static class DiagnosisServices
{
    // Enough for one lost packet; who asks again is the operator.
    private static readonly RetryTimes FewTries = new(2, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1));

    internal static IServiceCollection AddDiagnosis(this IServiceCollection services) => services
        .AddSingleton<MachineCheckup>()
        .AddSingleton<ICheckup, ManifestCheckup>()
        .AddSingleton<ICheckup, ToolsCheckup>()
        .AddSingleton<ICheckup, SecretsCheckup>()
        .AddSingleton<ICheckup, ServersCheckup>()
        .AddSingleton(provider => new ServerExamination(
            provider.GetRequiredService<ClusterConnector>(),
            new RegistryClients(
                provider.GetRequiredService<DockerCredentials>(),
                provider.GetRequiredService<ISecretMask>(),
                provider.GetRequiredService<IReporter>(),
                provider.GetRequiredService<TimeProvider>())
            { Retries = FewTries },
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new Doctor(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<MachineCheckup>(),
            provider.GetServices<ICheckup>(),
            provider.GetRequiredService<ISecretMask>(),
            provider.GetRequiredService<IConsole>(),
            provider.GetRequiredService<TimeProvider>()));
}
