namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>The labels by which the node finds its containers again; the io.kubernetes ones are those of dockershim.</summary>
internal static class PodLabels
{
    public const string Cluster = "cake-k3s.cluster";
    public const string PodName = "io.kubernetes.pod.name";
    public const string PodNamespace = "io.kubernetes.pod.namespace";
    public const string PodUid = "io.kubernetes.pod.uid";
    public const string Container = "io.kubernetes.container.name";
    public const string RestartCount = "annotation.io.kubernetes.container.restartCount";
    public const string Hash = "annotation.io.kubernetes.container.hash";
    public const string SandboxId = "io.kubernetes.sandbox.id";

    /// <summary>The value of <see cref="Container"/> on the container that holds the pod's network.</summary>
    public const string Sandbox = "POD";
}
