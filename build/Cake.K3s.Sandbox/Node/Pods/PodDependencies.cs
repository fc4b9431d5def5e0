using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Network.Policies;
using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Sandbox.Node.Probes;
using Cake.K3s.Sandbox.Node.Volumes;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>What every pod's worker uses.</summary>
internal sealed record PodDependencies(
    NodeOptions Options,
    ContainerEngine Engine,
    ClusterClient Client,
    ClusterCache Cache,
    EventRecorder Events,
    ImageSupply Images,
    ContainerEnvironment Environment,
    PodVolumes Volumes,
    Prober Prober,
    NodeCapacity Capacity,
    PolicyEnforcer Policies,
    TimeProvider Time,
    ILogger<PodWorker> Logger);
