namespace Cake.K3s.Settings;

/// <summary>Marks a settings property that the reader sets itself: it is no key of deploy.yaml and not in the schema.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotInFileAttribute : Attribute;
