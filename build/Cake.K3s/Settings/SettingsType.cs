using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Cake.K3s.Settings;

/// <summary>One of the types in DeploySettings.cs as deploy.yaml and its schema see it.</summary>
internal sealed class SettingsType
{
    private SettingsType(Type type)
    {
        Type = type;
        Keys =
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.CanWrite && property.GetCustomAttribute<NotInFileAttribute>() is null)
                .Select(property => new SettingsKey(property)),
        ];
    }

    /// <summary>The record.</summary>
    public Type Type { get; }

    /// <summary>Its keys, in the order in which they are declared.</summary>
    public ImmutableArray<SettingsKey> Keys { get; }

    /// <summary>The key that plain text stands for, or null.</summary>
    public SettingsKey? ShortForm =>
        Type.GetCustomAttribute<ShortFormAttribute>() is { } shortForm ? Key(shortForm.Property) : null;

    /// <summary>The keys of which exactly one is set; empty where there is no such rule.</summary>
    public ImmutableArray<SettingsKey> ExactlyOneOf =>
        Type.GetCustomAttribute<ExactlyOneOfAttribute>() is { } rule ? [.. rule.Properties.Select(Key)] : [];

    /// <summary>How a record is seen.</summary>
    public static SettingsType Of(Type type) => new(type);

    /// <summary>Whether a type is one of the records.</summary>
    public static bool IsRecord(Type type) => type.IsClass && type.Namespace == typeof(SettingsType).Namespace;

    /// <summary>The element type of a list, or null for what is none.</summary>
    public static Type? ElementOfList(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>) ? type.GetGenericArguments()[0] : null;

    /// <summary>The value type of a mapping by name, or null for what is none.</summary>
    public static Type? ValueOfMapping(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableDictionary<,>) ? type.GetGenericArguments()[1] : null;

    private SettingsKey Key(string property) => Keys.First(key => key.Property.Name == property);
}

/// <summary>One key of a settings type.</summary>
internal sealed record SettingsKey(PropertyInfo Property)
{
    /// <summary>As it is written, e.g. <c>publicKey</c>.</summary>
    public string Name { get; } = CamelCase(Property.Name);

    /// <summary>The value's type; for an optional number, the number's.</summary>
    public Type ValueType => Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;

    /// <summary>Whether it must be there.</summary>
    public bool IsRequired => Property.GetCustomAttribute<RequiredMemberAttribute>() is not null;

    /// <summary>What its text, or the keys of its mapping, must look like; null for anything.</summary>
    public PatternAttribute? Pattern => Property.GetCustomAttribute<PatternAttribute>();

    /// <summary>The limits of its number; null for none.</summary>
    public BetweenAttribute? Between => Property.GetCustomAttribute<BetweenAttribute>();

    /// <summary>A name of C# as deploy.yaml writes it.</summary>
    public static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
