using System.Reflection;
using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Requirements;
using Cake.K3s.Tasks;

namespace Cake.K3s.Hosting;

/// <summary>
/// Reads what the operator wrote and makes sure of what the tasks require before the first one starts, so that a typing error
/// or a missing program starts nothing.
/// </summary>
public sealed class Preflight(PipelineRun run, ManifestLoader manifests, RequirementCheck requirements, IEnumerable<IFrostingTask> tasks)
{
    /// <summary>Checks the files that any of the tasks needs, then all that they require.</summary>
    /// <param name="scheduled">The tasks that are going to run.</param>
    /// <exception cref="K3sException">A file is wrong (exit code 2), or something is missing (5).</exception>
    public async Task CheckAsync(IEnumerable<ICakeTaskInfo> scheduled)
    {
        var names = scheduled.Select(task => task.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var types = tasks.Select(task => task.GetType()).Where(type => names.Contains(NameOf(type))).ToList();
        var needs = types
            .Select(type => type.GetCustomAttribute<NeedsAttribute>()?.Input)
            .OfType<Input>()
            .ToHashSet();
        if (needs.Count > 0)
        {
            var environment = run.EnvironmentSettings;
            if (needs.Contains(Input.Manifests))
            {
                await manifests.LoadAsync(ManifestInputs.ForCheck(run.Settings, environment), run.Cancellation);
            }
        }

        await requirements.CheckAsync(types);
    }

    private static string NameOf(Type type) => type.GetCustomAttribute<TaskNameAttribute>()?.Name ?? type.Name;
}
