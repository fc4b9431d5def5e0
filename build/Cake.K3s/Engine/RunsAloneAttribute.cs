namespace Cake.K3s.Engine;

/// <summary>No other task runs at the same time as this one, e.g. because it takes a node away or changes what others read.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RunsAloneAttribute : Attribute;
