using System.Collections.Concurrent;
using Cake.K3s.Kubernetes.Releases;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>Three regions in two clusters, deployed to by the compiled host.</summary>
internal sealed class RegionsTests
{
    [Test]
    public async Task Should_stop_at_the_region_that_fails_and_go_on_there_when_refused_or_killed()
    {
        var (refuses, hangs) = (true, false);
        var hanging = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writes = new ConcurrentQueue<string>();
        await using var eu = await ApiHost.StartAsync();
        await using var others = await ApiHost.StartAsync(async (context, next) =>
        {
            var path = context.Request.Path.Value!;
            if (context.Request.Method == "PATCH" && path.EndsWith("/configmaps/settings", StringComparison.Ordinal) && !context.Request.Query.ContainsKey("dryRun"))
            {
                writes.Enqueue(path.Split('/')[4]);
                if (refuses)
                {
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                    return;
                }

                if (hangs)
                {
                    hanging.TrySetResult();
                    await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                    return;
                }
            }

            await next(context);
        });
        using var app = new ManifestApp(eu.Address);
        app.Write("eu.yaml", ManifestApp.Kubeconfig(eu.Address.ToString()));
        app.Write("others.yaml", ManifestApp.Kubeconfig(others.Address.ToString()));
        var registry = $"registry: {{address: {eu.Address.Authority}/own, insecure: true}}";
        app.Write("deploy.yaml", $$"""
            app: {{ManifestApp.Name}}
            images: {}
            manifests: [manifests]
            signing: {privateKey: cosign.key}
            environments:
              eu: {cluster: {kubeconfig: eu.yaml}, {{registry}}, namespace: eu, regions: [us, asia]}
              us: {cluster: {kubeconfig: others.yaml}, {{registry}}, namespace: us}
              asia: {cluster: {kubeconfig: others.yaml}, {{registry}}, namespace: asia}

            """);
        app.Write("manifests/app.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: \"${NAMESPACE}\"}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {where: \"${ENVIRONMENT}\"}\n");

        var first = await app.RunAsync("--target=Regions", "--environment=eu");

        Assert.Multiple(async () =>
        {
            Assert.That(first.ExitCode, Is.EqualTo(ExitCodes.Failed), first.Output);
            Assert.That(first.Output, Does.Contain("region us: ").And.Contain("not begun: asia"));
            Assert.That(await StateAsync(eu, "eu"), Is.EqualTo(ReleaseState.Verified));
            Assert.That(await StateAsync(others, "asia"), Is.Null);
        });

        (refuses, hangs) = (false, true);
        using (var killed = app.Start("--target=Regions", "--environment=eu"))
        {
            await hanging.Task.WaitAsync(TimeSpan.FromMinutes(2));
            killed.Kill();
            await killed.EndAsync();
        }

        hangs = false;
        writes.Clear();
        var second = await app.RunAsync("--target=Regions", "--environment=eu");

        Assert.Multiple(async () =>
        {
            Assert.That(second.ExitCode, Is.Zero, second.Output);
            Assert.That(writes, Is.EqualTo(["us", "asia"]));
            Assert.That(await StateAsync(others, "us"), Is.EqualTo(ReleaseState.Verified));
            Assert.That(await StateAsync(others, "asia"), Is.EqualTo(ReleaseState.Verified));
        });

        writes.Clear();
        Assert.That((await app.RunAsync("--target=Regions", "--environment=eu")).ExitCode, Is.Zero);
        Assert.That(writes, Is.Empty, "nothing is done twice");
    }

    private static async Task<ReleaseState?> StateAsync(ApiHost host, string namespaceName)
    {
        using var api = host.Open(namespaceName);
        return (await new ReleaseStore(api, ManifestApp.Name).ListAsync(default)).FirstOrDefault()?.State;
    }
}
