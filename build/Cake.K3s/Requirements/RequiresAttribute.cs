namespace Cake.K3s.Requirements;

/// <summary>What a task works on. It is opened, and has answered, before the first task of the run starts.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class RequiresAttribute(Requirement requirement) : Attribute
{
    /// <summary>What it works on.</summary>
    public Requirement Requirement { get; } = requirement;
}

/// <summary>What a task may work on.</summary>
public enum Requirement
{
    /// <summary>The environment: its secrets can be read, and a sandbox is up.</summary>
    Environment,

    /// <summary>The environment's registry, which answers and accepts the credentials that Docker has for it.</summary>
    Registry,

    /// <summary>The environment's cluster, which answers and accepts the kubeconfig's credentials.</summary>
    Cluster,
}
