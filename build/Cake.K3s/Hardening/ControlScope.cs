namespace Cake.K3s.Hardening;

/// <summary>Where a control works.</summary>
public enum ControlScope
{
    /// <summary>On the operating system of each node, over SSH.</summary>
    Node,

    /// <summary>In the cluster, through its API.</summary>
    Cluster,

    /// <summary>At what stands in front of the nodes, through its provider's API.</summary>
    Edge,
}
