using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

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
    // that implement no IFrostingTask themselves and derive from no class that may.
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

        return MayBeTask(metadata, type.BaseType) || ImplementsTask(metadata, type);
    }

    private static bool MayBeTask(MetadataReader metadata, EntityHandle baseType) => baseType switch
    {
        { IsNil: true } => false,
        { Kind: HandleKind.TypeDefinition } => metadata.GetTypeDefinition((TypeDefinitionHandle)baseType) is var type
            && (MayBeTask(metadata, type.BaseType) || ImplementsTask(metadata, type)),
        { Kind: HandleKind.TypeReference } => MayHoldTasks(metadata, metadata.GetTypeReference((TypeReferenceHandle)baseType)),
        { Kind: HandleKind.TypeSpecification } => MayBeTask(metadata, Generic(metadata, (TypeSpecificationHandle)baseType)),
        _ => true,
    };

    // The class of Base<Argument>: ECMA-335, II.23.2.14.
    private static EntityHandle Generic(MetadataReader metadata, TypeSpecificationHandle handle)
    {
        var signature = metadata.GetBlobReader(metadata.GetTypeSpecification(handle).Signature);
        signature.ReadByte();
        signature.ReadByte();
        return signature.ReadTypeHandle();
    }

    private static bool ImplementsTask(MetadataReader metadata, TypeDefinition type) => type.GetInterfaceImplementations()
        .Any(implemented => NameOf(metadata, metadata.GetInterfaceImplementation(implemented).Interface) == nameof(IFrostingTask));

    private static bool MayHoldTasks(MetadataReader metadata, TypeReference type)
    {
        var name = metadata.GetString(type.Namespace);
        if (name == "System" || name.StartsWith("System.", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal))
        {
            return false;
        }

        return type.ResolutionScope.Kind != HandleKind.AssemblyReference
            || KnowsTasks(metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name));
    }

    // An assembly whose classes are tasks is this one, or it refers to this one. Its file is read, not loaded.
    private static bool KnowsTasks(string assembly)
    {
        var own = typeof(IFrostingTask).Assembly.GetName().Name;
        var file = Path.Combine(AppContext.BaseDirectory, assembly + ".dll");
        if (assembly == own || !File.Exists(file))
        {
            return true;
        }

        using var reader = new PEReader(File.OpenRead(file));
        var metadata = reader.GetMetadataReader();
        return metadata.AssemblyReferences.Any(reference => metadata.StringComparer.Equals(metadata.GetAssemblyReference(reference).Name, own!));
    }

    private static string? NameOf(MetadataReader metadata, EntityHandle type) => type.Kind switch
    {
        HandleKind.TypeReference => metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)type).Name),
        HandleKind.TypeDefinition => metadata.GetString(metadata.GetTypeDefinition((TypeDefinitionHandle)type).Name),
        _ => null,
    };
}
