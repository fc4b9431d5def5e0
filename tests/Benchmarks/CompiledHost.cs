using System.Reflection.PortableExecutable;
using CliWrap;
using CliWrap.Buffered;

namespace Benchmarks;

/// <summary>The host that build.sh starts, as it is after a change has settled.</summary>
internal static class CompiledHost
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Compiles it, and waits until it is compiled ahead of time as well.</summary>
    /// <returns>The folder that it is in.</returns>
    public static async Task<string> ReadyAsync(string root)
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
                return host;
            }
        }

        return host;
    }

    /// <summary>Copies this program and compiles it ahead of time as build.sh does it with the host.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="directory">Gets the copy.</param>
    /// <returns>The program.</returns>
    public static async Task<string> CopyOfThisAsync(string root, string directory)
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory))
        {
            File.Copy(file, Path.Combine(Directory.CreateDirectory(directory).FullName, Path.GetFileName(file)));
        }

        await Cli.Wrap("dotnet")
            .WithArguments(
            [
                "build", Path.Combine(root, "build/CompileAhead.proj"), "-restore", "-t:CompileAhead", $"-p:Host={directory}", "--artifacts-path", $"{directory}-obj",
                "-nodeReuse:false", "-v", "quiet", "-nologo",
            ])
            .ExecuteBufferedAsync();
        return Path.Combine(directory, Path.GetFileName(Environment.ProcessPath!));
    }

    private static bool IsCompiledAhead(string assembly)
    {
        using PEReader reader = new(File.OpenRead(assembly));
        return reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0;
    }
}
