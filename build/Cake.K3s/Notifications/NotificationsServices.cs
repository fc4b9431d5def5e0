using Cake.Core.Diagnostics;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Notifications;

/// <summary>Registers what this folder offers.</summary>
internal static class NotificationsServices
{
    internal static IServiceCollection AddNotifications(this IServiceCollection services) => services
        .AddSingleton(provider => new NotificationSender(new HttpClient(), provider.GetRequiredService<SecretReader>()))
        .AddSingleton<IRunObserver>(provider => new NotificationObserver(
            provider.GetRequiredService<Lazy<PipelineRun>>(),
            provider.GetRequiredService<NotificationSender>(),
            RunOrigin.Read(provider.GetRequiredService<EnvironmentVariables>()),
            provider.GetRequiredService<ICakeLog>(),
            provider.GetRequiredService<ISecretMask>()));
}
