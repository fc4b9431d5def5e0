namespace Cake.K3s.Tasks;

/// <summary>What a task reads of the operator's files. It is checked before the first task of the run starts.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsAttribute(Input input) : Attribute
{
    /// <summary>What is read.</summary>
    public Input Input { get; } = input;
}

/// <summary>The operator's files, each including the ones above it.</summary>
public enum Input
{
    /// <summary>deploy.yaml, with the environment that the command line names.</summary>
    Environment,

    /// <summary>The environment's manifests.</summary>
    Manifests,
}
