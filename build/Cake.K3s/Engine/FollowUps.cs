using Cake.Core;
using Cake.Core.Graph;

namespace Cake.K3s.Engine;

/// <summary>Which tasks <see cref="FollowedByAttribute"/> brings into a run.</summary>
internal static class FollowUps
{
    /// <summary>The targets, and after them the follow-ups of every task that the targets bring into the run.</summary>
    /// <exception cref="CakeException">A follow-up is no task of this run's graph.</exception>
    public static IReadOnlyList<string> Add(IEnumerable<string> targets, IReadOnlyCollection<ICakeTaskInfo> tasks, ILookup<string, string> followUps)
    {
        var graph = CakeGraphBuilder.Build(tasks);
        List<string> result = [.. targets];
        HashSet<string> included = new(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < result.Count; i++)
        {
            foreach (var task in graph.Traverse(result[i]).Where(included.Add).ToList())
            {
                foreach (var followUp in followUps[task].Except(result, StringComparer.OrdinalIgnoreCase).ToList())
                {
                    if (!graph.Exist(followUp))
                    {
                        throw new CakeException($"Task '{task}' is followed by task '{followUp}' which does not exist.");
                    }

                    result.Add(followUp);
                }
            }
        }

        return result;
    }
}
