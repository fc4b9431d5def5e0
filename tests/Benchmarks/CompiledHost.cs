using System.Reflection.PortableExecutable;
using CliWrap;
using CliWrap.Buffered;

namespace Benchmarks;

/// <summary>The host that build.sh starts, as it is after a change has settled.</summary>
internal static class CompiledHost
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Compiles it, and waits until it is compiled ahead of time as well.</summary>
    public static async Task ReadyAsync(string root)
    {
        await Cli.Wrap(Path.Combine(root, "build.sh")).WithArguments("--version").WithEnvironmentVariables(variables => variables.Set("CI", null)).ExecuteBufferedAsync();
        var host = Path.Combine(root, (await File.ReadAllTextAsync(Path.Combine(root, "build/bin/compiled"))).Trim());
        using var limit = new CancellationTokenSource(Limit);
        while (!Directory.EnumerateFiles(host, "Cake.K3s*.dll").All(IsCompiledAhead))
        {
            try
            {
                await Task.Delay(500, limit.Token);
            }
            catch (OperationCanceledException)
            {
                await Console.Error.WriteLineAsync($"{host} was not compiled ahead of time, see build/bin/ahead.log");
                return;
            }
        }
    }

    private static bool IsCompiledAhead(string assembly)
    {
        using PEReader reader = new(File.OpenRead(assembly));
        return reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0;
    }
}
