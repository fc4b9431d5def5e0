using Cake.K3s.Tools;

namespace Cake.K3s.Requirements;

/// <summary>An external program that a task runs. It is found or fetched before the first task of the run starts.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class RequiresToolAttribute(ToolName tool) : Attribute
{
    /// <summary>The program.</summary>
    public ToolName Tool { get; } = tool;
}
