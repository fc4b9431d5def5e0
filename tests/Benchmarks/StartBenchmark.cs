namespace Benchmarks;

/// <summary>How long a warm start takes, beside what a Cake Frosting build is usually started with.</summary>
internal static class StartBenchmark
{
    private const int Rounds = 9;

    public static async Task<int> RunAsync()
    {
        var root = RepositoryRoot.Find();
        await CompiledHost.ReadyAsync(root);
        TimedCommand peer = new("dotnet", "run", "--project", "build/Build", "--", "--tree");
        TimedCommand[] commands =
        [
            new("./build.sh", "--tree"),
            new("./build.sh"),
            peer,
            new("dotnet", "run", "--no-build", "--project", "build/Build", "--", "--tree"),
        ];

        // By turns, so that all meet the same disturbances.
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var command in commands)
            {
                await command.RunAsync(root, isWarmUp: round == 0);
            }
        }

        MarkdownTable.Write(
            ["warm start", $"seconds, median of {Rounds}", "beside dotnet run"],
            commands.Select(command => (string[])[$"`{command}`", MarkdownTable.Seconds(command.Median), (command.Median / peer.Median).ToString("0.00")]));
        return 0;
    }
}
