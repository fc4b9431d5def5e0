using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Pruning;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Images;

/// <summary>Registers what this folder offers.</summary>
internal static class ImagesServices
{
    internal static IServiceCollection AddImages(this IServiceCollection services) => services
        .AddSingleton<DockerCredentials>()
        .AddSingleton<RegistryClients>()
        .AddSingleton(provider => new ImageBuilder(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<IToolbox>(),
            provider.GetRequiredService<ICommandRunner>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<SecretReader>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new ImageSigner(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<IToolbox>(),
            provider.GetRequiredService<ICommandRunner>(),
            provider.GetRequiredService<IReporter>()))
        .AddSingleton(provider => new ImagePusher(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new ImageGate(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<IReporter>()))
        .AddSingleton(provider => new ImageRevisions(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<IReporter>()))
        .AddSingleton(provider => new ImageMirror(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<IReporter>()))
        .AddSingleton(provider => new RegistryPruner(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetServices<IEnvironmentOpener>(),
            provider.GetRequiredService<IImagesInUse>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new ImageInspector(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<IReporter>()))
        .AddSingleton(provider => new BaseImageRefresh(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<RegistryClients>(),
            provider.GetRequiredService<EnvironmentVariables>(),
            provider.GetRequiredService<IReporter>()))
        .AddSingleton(provider => new SigningKeyPairs(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<IToolbox>(),
            provider.GetRequiredService<ICommandRunner>(),
            provider.GetRequiredService<SecretReader>(),
            provider.GetRequiredService<EnvironmentVariables>(),
            provider.GetRequiredService<IReporter>()));
}
