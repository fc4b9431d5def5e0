using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Edge;
using Cake.K3s.Hardening.Nodes.AuditLog;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Hardening.Nodes.EtcdBackups;
using Cake.K3s.Hardening.Nodes.Fail2Ban;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.KernelDefaults;
using Cake.K3s.Hardening.Nodes.LegacyFirewallRules;
using Cake.K3s.Hardening.Nodes.PodSecurity;
using Cake.K3s.Hardening.Nodes.PrivateNetwork;
using Cake.K3s.Hardening.Nodes.SecretsEncryption;
using Cake.K3s.Hardening.Nodes.SshPolicy;
using Cake.K3s.Hardening.Nodes.SshPort;
using Cake.K3s.Hardening.Nodes.UnattendedUpgrades;
using Cake.K3s.Hardening.Nodes.WireGuard;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hardening;

/// <summary>Registers what this folder offers.</summary>
internal static class HardeningServices
{
    internal static IServiceCollection AddHardening(this IServiceCollection services) => services
        .AddControls()
        .AddNodes(provider => provider.GetServices<IControl>().OfType<IFactSource>())
        .AddSingleton<OperatorFiles>()
        .AddSingleton<ControlSet>()
        .AddSingleton(provider => new Auditor(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ControlSet>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<IConsole>(),
            provider.GetRequiredService<ISecretMask>()))
        .AddSingleton(provider => new Hardener(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ControlSet>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<ProofLog>().Write))
        .AddSingleton<ProofLog>()
        .AddSingleton<IRunObserver>(provider => new OperationsDone(
            provider.GetRequiredService<Lazy<PipelineRun>>(),
            provider.GetRequiredService<Lazy<ProofLog>>(),
            () => RoadmapReport.Done(provider.GetServices<IFrostingTask>(), provider.GetRequiredService<PipelineRun>().Options)))
        .AddSingleton(provider => new RoadmapReport(
            provider.GetRequiredService<Auditor>(),
            provider.GetRequiredService<ControlSet>(),
            provider.GetRequiredService<ProofLog>(),
            provider.GetServices<IFrostingTask>(),
            provider.GetRequiredService<IConsole>(),
            provider.GetRequiredService<ICakeLog>()));

    // The order in which Harden applies them: backups first, then the nodes from the outside in, the cluster's network before
    // webhooks that fail closed; harmless ones beside each other, for their proofs. A caller's own controls come after these.
    private static IServiceCollection AddControls(this IServiceCollection services) => services
        .AddControl<EtcdBackupsControl>()
        .AddControl<LegacyFirewallRulesControl>()
        .AddControl<Fail2BanControl>()
        .AddControl<UnattendedUpgradesControl>()
        .AddControl<SshPortControl>()
        .AddControl<SshPolicyControl>()
        .AddControl<SecretsEncryptionControl>()
        .AddControl<FirewallBaselineControl>()
        .AddControl<KernelDefaultsControl>()
        .AddControl<AuditLogControl>()
        .AddControl<PodSecurityControl>()
        .AddPrivateNetwork()
        .AddControl<WireGuardControl>()
        .AddClusterControls()
        .AddEdgeControls()
        .AddCloudflareOnly()
        .AddSignedImages();

    internal static IServiceCollection AddControl<T>(this IServiceCollection services)
        where T : class, IControl => services.AddSingleton<IControl, T>();
}
