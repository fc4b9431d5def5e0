namespace Benchmarks;

/// <summary>How long a warm start takes, beside what a Cake Frosting build is usually started with.</summary>
internal static class StartBenchmark
{
    private const int Rounds = 9;

    public static async Task<int> RunAsync()
    {
        var root = RepositoryRoot.Find();
        TimedCommand own = new("./build.sh", "--tree");
        TimedCommand peer = new("dotnet", "run", "--project", "build/Build", "--", "--tree");
        TimedCommand peerWithoutBuild = new("dotnet", "run", "--no-build", "--project", "build/Build", "--", "--tree");

        // By turns, so that all meet the same disturbances.
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var command in new[] { own, peer, peerWithoutBuild })
            {
                await command.RunAsync(root, isWarmUp: round == 0);
            }
        }

        Console.WriteLine($"Median of {Rounds} warm starts, {Environment.ProcessorCount} processors, .NET {Environment.Version}");
        foreach (var command in new[] { own, peer, peerWithoutBuild })
        {
            Console.WriteLine($"{command.Median.TotalSeconds,8:0.000} s  {own.Median / command.Median,6:0.00}  {command}");
        }

        return 0;
    }
}
