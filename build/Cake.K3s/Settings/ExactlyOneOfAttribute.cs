namespace Cake.K3s.Settings;

/// <summary>Of these properties of a settings type exactly one is set.</summary>
/// <param name="properties">The properties' names.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ExactlyOneOfAttribute(params string[] properties) : Attribute
{
    /// <summary>The properties' names.</summary>
    public IReadOnlyList<string> Properties => properties;
}
