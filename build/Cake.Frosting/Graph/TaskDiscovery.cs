using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Cake.Frosting.Graph;

/// <summary>Finds the task classes of assemblies.</summary>
internal static class TaskDiscovery
{
    /// <summary>The classes that are tasks, and what is wrong with those that look like tasks and are none.</summary>
    public static (IReadOnlyList<Type> Tasks, IReadOnlyList<string> Warnings) Find(IEnumerable<Assembly> assemblies)
    {
        List<Type> tasks = [];
        List<string> warnings = [];
        foreach (var type in assemblies.SelectMany(TypesThatMayBeTasks).Where(IsTask))
        {
            if (!type.IsVisible)
            {
                warnings.Add($"The task class '{type.FullName}' is not public, so it is not used.");
            }
            else if (type.ContainsGenericParameters)
            {
                warnings.Add($"The task class '{type.FullName}' is generic, so it is not used. Derive a class from it for each type argument.");
            }
            else
            {
                tasks.Add(type);
            }
        }

        return (tasks, warnings);
    }

    private static bool IsTask(Type type) => type is { IsClass: true, IsAbstract: false } && typeof(IFrostingTask).IsAssignableFrom(type);

    // Loading a type loads the assemblies that it is made of. The metadata tells without that which types cannot be tasks: those
    // that derive from a class of the System namespace and implement no IFrostingTask themselves.
    private static unsafe IEnumerable<Type> TypesThatMayBeTasks(Assembly assembly)
    {
        if (assembly.IsDynamic || !assembly.TryGetRawMetadata(out var blob, out var length))
        {
            return assembly.GetTypes();
        }

        var metadata = new MetadataReader(blob, length);
        return metadata.TypeDefinitions
            .Where(handle => MayBeTask(metadata, metadata.GetTypeDefinition(handle)))
            .Select(handle => assembly.ManifestModule.ResolveType(MetadataTokens.GetToken(handle)))
            .ToList();
    }

    private static bool MayBeTask(MetadataReader metadata, TypeDefinition type)
    {
        if ((type.Attributes & (TypeAttributes.Interface | TypeAttributes.Abstract)) != 0)
        {
            return false;
        }

        return !IsOfSystem(metadata, type.BaseType)
            || type.GetInterfaceImplementations().Any(implemented =>
                NameOf(metadata, metadata.GetInterfaceImplementation(implemented).Interface) == nameof(IFrostingTask));
    }

    private static bool IsOfSystem(MetadataReader metadata, EntityHandle type) =>
        type.IsNil
        || (type.Kind == HandleKind.TypeReference
            && metadata.StringComparer.Equals(metadata.GetTypeReference((TypeReferenceHandle)type).Namespace, "System"));

    private static string? NameOf(MetadataReader metadata, EntityHandle type) => type.Kind switch
    {
        HandleKind.TypeReference => metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)type).Name),
        HandleKind.TypeDefinition => metadata.GetString(metadata.GetTypeDefinition((TypeDefinitionHandle)type).Name),
        _ => null,
    };
}
