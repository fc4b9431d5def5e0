namespace Cake.K3s.Engine;

/// <summary>
/// A run that includes the task also includes another one, e.g. a deploy and its verification. With <c>--exclusive</c> it
/// does not. The follow-up is a task of its own that depends on this one; this attribute only brings it into the run.
/// </summary>
/// <param name="task">The follow-up; a Frosting task.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class FollowedByAttribute(Type task) : Attribute
{
    /// <summary>The follow-up.</summary>
    public Type Task { get; } = task;
}
