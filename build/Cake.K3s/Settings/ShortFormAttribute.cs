namespace Cake.K3s.Settings;

/// <summary>A settings type that may be written as plain text, which is then the value of one property.</summary>
/// <param name="property">The property's name.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ShortFormAttribute(string property) : Attribute
{
    /// <summary>The property's name.</summary>
    public string Property => property;
}
