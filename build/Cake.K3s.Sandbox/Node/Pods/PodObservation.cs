using Cake.K3s.Sandbox.Node.Engine;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Everything that the node knows about a pod at a moment; its status follows from this alone.</summary>
internal sealed record PodObservation
{
    /// <summary>The pause container, when it runs.</summary>
    public ContainerRecord? Sandbox { get; init; }

    /// <summary>The pod's IP; empty before it has one.</summary>
    public string Address { get; init; } = "";

    /// <summary>The node's IP.</summary>
    public string HostAddress { get; init; } = "";

    /// <summary>The instances of each container, the newest first.</summary>
    public ILookup<string, ContainerRecord> Containers { get; init; } = Array.Empty<ContainerRecord>().ToLookup(record => record.Name);

    /// <summary>Why a container waits, where the node has a reason.</summary>
    public IReadOnlyDictionary<string, WaitReason> Waiting { get; init; } = new Dictionary<string, WaitReason>();

    /// <summary>How an instance ended, by its id.</summary>
    public IReadOnlyDictionary<string, V1ContainerStateTerminated> Ended { get; init; } = new Dictionary<string, V1ContainerStateTerminated>();

    /// <summary>The instances whose startup probe has passed.</summary>
    public IReadOnlySet<string> Started { get; init; } = new HashSet<string>();

    /// <summary>The instances whose readiness probe passes.</summary>
    public IReadOnlySet<string> Ready { get; init; } = new HashSet<string>();

    /// <summary>Names of the images of instances as imageID shows them, by the instance's id.</summary>
    public IReadOnlyDictionary<string, string> ImageIds { get; init; } = new Dictionary<string, string>();

    /// <summary>Set when the node itself ended the pod: the phase is Failed with this reason and message.</summary>
    public WaitReason? Evicted { get; init; }

    /// <summary>No container will run any more: the pod has been terminated.</summary>
    public bool Terminated { get; init; }
}

/// <summary>A reason in one word, and a message for people.</summary>
internal sealed record WaitReason(string Reason, string Message);
