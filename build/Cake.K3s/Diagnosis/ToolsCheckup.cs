using Cake.Frosting;
using Cake.K3s.Requirements;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.Diagnosis;

/// <summary>Looks for the programs that the tasks run.</summary>
internal sealed class ToolsCheckup(Toolbox toolbox, IEnumerable<IFrostingTask> tasks) : ICheckup
{
    public async Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        var required = RequirementSet.Of([.. tasks.Select(task => task.GetType())]);
        return await Task.WhenAll(required.Tools.Select(async tool => Of(await toolbox.LookForAsync(tool.Key, cancellationToken), tool.Value)));
    }

    /// <summary>What a search says.</summary>
    internal static Observation Of(ToolSearch search, string neededBy) => search switch
    {
        { Found: { } tool } => Observation.Good(search.Definition.Title, search.Version is { } version ? $"{version}, {tool.Path}" : tool.Path),
        { CanBeFetched: true } => Observation.Good(search.Definition.Title, $"not here; the first run that needs it fetches it ({neededBy})"),
        _ => Observation.Wrong(search.Definition.Title, $"{neededBy} needs it: {string.Join("; ", search.Reasons)}", search.Definition.Advice),
    };
}
