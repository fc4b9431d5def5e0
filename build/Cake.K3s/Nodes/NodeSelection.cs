using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Settings;
using Cake.Shared;

namespace Cake.K3s.Nodes;

/// <summary>Which nodes a run works on.</summary>
internal static class NodeSelection
{
    /// <summary>The environment's nodes that <c>--nodes</c> names, in the order of deploy.yaml; all where it is not given.</summary>
    /// <exception cref="K3sException">There is no node of a name (exit code 2).</exception>
    public static ImmutableArray<NodeSettings> Of(EnvironmentSettings environment, RunOptions options)
    {
        var known = environment.Nodes.Select(node => node.Name).ToList();
        if (options.Nodes.FirstOrDefault(name => !known.Contains(name, StringComparer.Ordinal)) is { } unknown)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"environment {environment.Name} has no node '{unknown}'",
                NearestName.Find(unknown, known) is { } near ? $"Did you mean '{near}'?" : $"There are: {string.Join(", ", known)}.");
        }

        return options.Nodes.IsEmpty ? environment.Nodes : [.. environment.Nodes.Where(node => options.Nodes.Contains(node.Name))];
    }
}
