using System.Reflection;
using System.Runtime.CompilerServices;

namespace Cake.Frosting.Graph;

/// <summary>Which members a task class has a body for. Cake gives a task only the parts that it really has.</summary>
internal static class TaskMembers
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance;

    /// <summary>The context that a task class takes; null where it implements <see cref="IFrostingTask"/> by itself.</summary>
    public static Type? ContextTypeOf(Type task) => FrostingBaseOf(task)?.GenericTypeArguments[0];

    /// <summary>Whether a class, or one that it derives from, overrides a member of Frosting's base classes.</summary>
    public static bool Overrides(Type task, string name) =>
        FrostingBaseOf(task) is null || Overriding(task, name) is not null;

    /// <summary>The overrides that are <c>async void</c>: what they do after their first await is lost.</summary>
    public static IEnumerable<string> AsyncVoidMembersOf(Type task) =>
        from name in new[] { "Run", "OnError", "Finally" }
        let method = Overriding(task, name)
        where method is not null && method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute), inherit: false)
        select name;

    /// <summary>What a class says in a public <c>SkippedMessage</c> property, whether it lists the interface again or not.</summary>
    public static string SkippedMessageOf(IFrostingTask task) =>
        task.GetType().GetProperty(nameof(IFrostingTask.SkippedMessage), Members, null, typeof(string), [], null)?.GetValue(task) as string
        ?? string.Empty;

    private static MethodInfo? Overriding(Type task, string name) =>
        task.GetMethods(Members).FirstOrDefault(method => method.Name == name && method.IsVirtual
            && method.DeclaringType is { } type && !IsFrostingBase(type) && IsFrostingBase(method.GetBaseDefinition().DeclaringType!));

    private static Type? FrostingBaseOf(Type? type)
    {
        while (type is not null && !IsFrostingBase(type))
        {
            type = type.BaseType;
        }

        return type;
    }

    private static bool IsFrostingBase(Type type) =>
        type.IsConstructedGenericType
        && (type.GetGenericTypeDefinition() == typeof(FrostingTask<>) || type.GetGenericTypeDefinition() == typeof(AsyncFrostingTask<>));
}
