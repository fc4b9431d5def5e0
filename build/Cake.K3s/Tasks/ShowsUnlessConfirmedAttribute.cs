namespace Cake.K3s.Tasks;

/// <summary>Without <c>--confirm</c> the task only shows what it would do, so that it has ended well and nothing was done.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ShowsUnlessConfirmedAttribute : Attribute;
