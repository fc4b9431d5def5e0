using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Tasks;

namespace Cake.K3s.Hosting;

/// <summary>Reads what the operator wrote before the first task starts, so that a typing error starts nothing.</summary>
public sealed class Preflight(PipelineRun run, ManifestLoader manifests, IEnumerable<IFrostingTask> tasks)
{
    /// <summary>Checks the files that any of the tasks needs.</summary>
    /// <param name="scheduled">The tasks that are going to run.</param>
    /// <exception cref="K3sException">A file is wrong (exit code 2); the message says where.</exception>
    public async Task CheckAsync(IEnumerable<ICakeTaskInfo> scheduled)
    {
        var names = scheduled.Select(task => task.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var needs = tasks
            .Select(task => task.GetType())
            .Where(type => names.Contains(NameOf(type)))
            .Select(type => Attribute<NeedsAttribute>(type)?.Input)
            .OfType<Input>()
            .ToHashSet();
        if (needs.Count == 0)
        {
            return;
        }

        var environment = run.EnvironmentSettings;
        if (needs.Contains(Input.Manifests))
        {
            await manifests.LoadAsync(ManifestInputs.ForCheck(run.Settings, environment), run.Cancellation);
        }
    }

    private static string NameOf(Type type) => Attribute<TaskNameAttribute>(type)?.Name ?? type.Name;

    private static T? Attribute<T>(Type type)
        where T : Attribute => (T?)System.Attribute.GetCustomAttribute(type, typeof(T));
}
