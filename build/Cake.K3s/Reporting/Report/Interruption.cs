namespace Cake.K3s.Reporting.Report;

/// <summary>What a run that was cancelled leaves, and how to go on.</summary>
internal static class Interruption
{
    /// <summary>The end of such a run.</summary>
    public static RunEnded Of(RunRecord run)
    {
        var command = $"./build.sh --target={run.Target}{(run.Environment is null ? "" : $" --environment={run.Environment}")}";
        var (left, next) = Left(run, command);
        List<string> details =
        [
            .. Names(run, "Cancelled", "Running") is { Length: > 0 } interrupted ? [$"interrupted in {interrupted}"] : Array.Empty<string>(),
            .. Names(run, "Succeeded", "Skipped") is { Length: > 0 } done ? [$"done before: {done}"] : Array.Empty<string>(),
            .. Names(run, "NotRun") is { Length: > 0 } notRun ? [$"not begun: {notRun}"] : Array.Empty<string>(),
            left,
        ];
        return new(ExitCodes.Cancelled, "cancelled", next, [.. details]);
    }

    private static (string Left, string Next) Left(RunRecord run, string command)
    {
        var back = run.Environment is null ? "--target=Rollback" : $"--target=Rollback --environment={run.Environment}";
        var goesOn = $"{command} goes on from there";
        return run switch
        {
            { Release: { State: "Pending" } release } => (
                $"release {release.Number} is recorded, and {Count(run.Changes.Length)} of it applied; the deploy lock is given back",
                $"{goesOn}; {back} puts the last verified release back"),
            { Release: { State: "Applied" } release } => (
                $"release {release.Number} is applied; whether it serves is not known, and nothing was rolled back; the deploy lock is given back",
                $"{goesOn}; {back} puts the last verified release back"),
            { Release: { State: "Failed" } release } => (
                $"release {release.Number} has failed; its rollback may not be complete",
                $"{back} puts the last verified release back"),
            _ when run.Tasks.Any(task => task is { Name: "Migrate", State: not ("NotRun" or "Skipped") }) => (
                "no object of a release was changed in the cluster; a migration that was started runs on there",
                goesOn),
            { Changes.Length: > 0 } => ($"{Count(run.Changes.Length)} changed in the cluster", goesOn),
            _ => ("nothing was changed in the cluster", goesOn),
        };
    }

    private static string Count(int objects) => objects == 1 ? "1 object" : $"{objects} objects";

    private static string Names(RunRecord run, params string[] states) =>
        string.Join(", ", run.Tasks.Where(task => states.Contains(task.State)).Select(task => task.Name));
}
