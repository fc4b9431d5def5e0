using System.Text.Json.Nodes;
using Cake.K3s.Tools;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks;

/// <summary>
/// A deploy of the sample into a sandbox of its own when nothing changed, beside what a script does there: kubectl apply, then rollout
/// status of each Deployment. The script neither lints, tests, looks for changed sources, nor verifies a signature.
/// </summary>
internal static class NoopBenchmark
{
    private const int Rounds = 9;

    // Of the server, and refused in what is applied.
    private static readonly string[] ServerFields = ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"];

    public static async Task<int> RunAsync()
    {
        var root = RepositoryRoot.Find();
        await CompiledHost.ReadyAsync(root);
        var app = Directory.CreateTempSubdirectory("cake-k3s-bench-").FullName;
        var build = Path.Combine(root, "build.sh");
        try
        {
            await Cli.Wrap("git").WithArguments(["clone", "--quiet", root, app]).ExecuteBufferedAsync();
            var settings = Path.Combine(app, "deploy.yaml");
            await File.WriteAllTextAsync(settings, (await File.ReadAllTextAsync(settings)).Replace("ingressPort: 8080", "ingressPort: 0", StringComparison.Ordinal));

            TimedCommand own = new(build, "--target=Deploy", "--working=" + app);
            await own.RunAsync(root, isWarmUp: true);
            var peer = await ScriptAsync(app);
            for (var round = 0; round <= Rounds; round++)
            {
                await own.RunAsync(root, isWarmUp: round == 0);
                await peer.RunAsync(root, isWarmUp: round == 0);
            }

            MarkdownTable.Write(
                ["nothing changed", $"seconds, median of {Rounds}"],
                [
                    ["`./build.sh --target=Deploy`, all eight tasks", MarkdownTable.Seconds(own.Median)],
                    ["`kubectl apply --server-side`, then `kubectl rollout status` of each Deployment", MarkdownTable.Seconds(peer.Median)],
                ]);
            return 0;
        }
        finally
        {
            await Cli.Wrap(build).WithArguments(["--target=SandboxDown", "--purge", "--working=" + app]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
            Directory.Delete(app, recursive: true);
        }
    }

    /// <summary>The script, with the objects as they are in the cluster.</summary>
    private static async Task<TimedCommand> ScriptAsync(string app)
    {
        await using var services = LibraryServices.Build();
        var kubectl = (await services.GetRequiredService<IToolbox>().RequireAsync(ToolName.Kubectl, "the benchmark", CancellationToken.None)).Path;
        var client = $"{kubectl} --kubeconfig {Path.Combine(app, ".sandbox/kubeconfig")} -n honeydue";
        var live = await Cli.Wrap("bash").WithArguments(["-c", $"{client} get configmaps,services,deployments,ingresses -o json"]).ExecuteBufferedAsync();
        var list = JsonNode.Parse(live.StandardOutput)!;
        foreach (var item in list["items"]!.AsArray().Select(item => item!.AsObject()))
        {
            item.Remove("status");
            Array.ForEach(ServerFields, field => item["metadata"]!.AsObject().Remove(field));
        }

        var file = Path.Combine(app, "artifacts", "live.json");
        await File.WriteAllTextAsync(file, list.ToJsonString());
        var waits = list["items"]!.AsArray()
            .Where(item => (string?)item!["kind"] == "Deployment")
            .Select(item => $" && {client} rollout status deployment/{(string?)item!["metadata"]!["name"]} --timeout=60s");
        return new("bash", "-c", $"{client} apply --server-side --field-manager=bench -f {file}{string.Concat(waits)}");
    }
}
