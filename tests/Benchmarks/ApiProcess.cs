using System.Net;
using Cake.K3s.Sandbox.ApiServer;
using CliWrap;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Benchmarks;

/// <summary>The sandbox's Kubernetes API in a process of its own, without controllers.</summary>
internal sealed class ApiProcess : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _process;

    private ApiProcess(Task process, CancellationTokenSource ending, string address)
    {
        _process = process;
        _ending = ending;
        Address = address;
    }

    public string Address { get; }

    public static async Task<ApiProcess> StartAsync(string directory)
    {
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ending = new CancellationTokenSource();
        var process = CliWrap.Cli.Wrap(Environment.ProcessPath!)
            .WithArguments(["serve-api", Path.Combine(directory, "state")])
            .WithStandardOutputPipe(PipeTarget.ToDelegate(line => address.TrySetResult(line)))
            .ExecuteAsync(ending.Token).Task;
        var first = await Task.WhenAny(address.Task, process);
        await first;
        return new(process, ending, await address.Task);
    }

    public static async Task<int> ServeAsync(string state)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddApiServer(new ApiServerOptions { StateDirectory = state });
        await using var app = builder.Build();
        app.MapApiServer();
        await app.StartAsync();
        Console.WriteLine(app.Urls.Single());
        await app.WaitForShutdownAsync();
        return 0;
    }

    /// <summary>A kubeconfig for a server.</summary>
    public static string Kubeconfig(string address) => $$$"""
        apiVersion: v1
        kind: Config
        current-context: bench
        clusters: [{name: bench, cluster: {server: "{{{address}}}"}}]
        contexts: [{name: bench, context: {cluster: bench, user: bench}}]
        users: [{name: bench, user: {token: bench}}]
        """;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _process.ContinueWith(_ => { }, TaskScheduler.Default);
        _ending.Dispose();
    }
}
