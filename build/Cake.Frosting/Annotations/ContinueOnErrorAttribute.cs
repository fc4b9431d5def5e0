namespace Cake.Frosting;

/// <summary>An exception of the task is reported, and the run goes on as if the task had succeeded.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ContinueOnErrorAttribute : Attribute;
