using System.Collections.Concurrent;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Tests.Edge.Cloudflare;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>What a deploy does with Cloudflare's cache, by the compiled host; Cloudflare is a stand-in.</summary>
internal sealed class EdgeCachePurgeTests
{
    [Test]
    public async Task Should_drop_what_is_kept_once_the_release_is_verified_and_warn_where_that_fails()
    {
        using var cloudflare = new HttpClient(new CloudflareStandIn());
        var (cloudflareFails, clusterFails) = (false, false);
        var purges = new ConcurrentQueue<ReleaseState?>();
        ApiHost? host = null;
        await using var started = host = await ApiHost.StartAsync(async (context, next) =>
        {
            var path = context.Request.Path.Value!;
            if (path.StartsWith("/client/v4/", StringComparison.Ordinal))
            {
                if (path.EndsWith("/purge_cache", StringComparison.Ordinal))
                {
                    purges.Enqueue(await StateAsync(host!));
                }

                await PassOnAsync(context, cloudflare, cloudflareFails && context.Request.Method == "POST");
            }
            else if (clusterFails && context.Request.Method == "PATCH" && path.EndsWith("/configmaps/settings", StringComparison.Ordinal) && !context.Request.Query.ContainsKey("dryRun"))
            {
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
            }
            else
            {
                await next(context);
            }
        });
        using var app = new ManifestApp(host.Address);
        app.Write("token", CloudflareStandIn.Token);
        app.Write("deploy.yaml", $$"""
            app: {{ManifestApp.Name}}
            images: {}
            manifests: [manifests]
            defaultEnvironment: test
            signing: {privateKey: cosign.key}
            environments:
              test:
                cluster: {kubeconfig: kubeconfig}
                registry: {address: {{host.Address.Authority}}/own, insecure: true}
                namespace: {{ManifestApp.Name}}
                edge:
                  cloudflareZone: {{CloudflareStandIn.ZoneName}}
                  cloudflareToken: {file: token}
                  cloudflareApi: {{host.Address}}client/v4
                  cache: {rules: [{name: landing, host: example.com, paths: [/, "/assets/*"]}]}

            """);

        Write(app, 1);
        var first = await app.RunAsync("--target=Deploy");
        Assert.That(first.ExitCode, Is.Zero, first.Output);
        Assert.That(first.Output, Does.Contain("1 addresses and 1 prefixes dropped from the cache of example.com"));
        Assert.That(purges, Is.EqualTo(new ReleaseState?[] { ReleaseState.Verified, ReleaseState.Verified }));

        Write(app, 2);
        clusterFails = true;
        var refused = await app.RunAsync("--target=Deploy");
        Assert.That(refused.ExitCode, Is.EqualTo(ExitCodes.Failed), refused.Output);
        Assert.That(purges, Has.Count.EqualTo(2), "what serves is what served before");

        (clusterFails, cloudflareFails) = (false, true);
        var second = await app.RunAsync("--target=Deploy");
        Assert.That(second.ExitCode, Is.Zero, second.Output);
        Assert.That(second.Output, Does.Contain("the release serves, but").And.Contain("--target=PurgeEdgeCache --environment=test"));

        cloudflareFails = false;
        purges.Clear();
        var back = await app.RunAsync("--target=Rollback", "--to=1");
        Assert.That(back.ExitCode, Is.Zero, back.Output);
        Assert.That(purges, Has.Count.EqualTo(2), "what is put back is another release too");
    }

    private static void Write(ManifestApp app, int value) => app.Write("manifests/app.yaml", $$"""
        apiVersion: v1
        kind: Namespace
        metadata: {name: {{ManifestApp.Name}}}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {value: "{{value}}"}

        """);

    private static async Task PassOnAsync(HttpContext context, HttpClient cloudflare, bool fails)
    {
        using var request = new HttpRequestMessage(new(context.Request.Method), CloudflareStandIn.Address + context.Request.Path.Value!["/client/v4".Length..] + context.Request.QueryString);
        request.Headers.TryAddWithoutValidation("Authorization", context.Request.Headers.Authorization.ToString());
        if (context.Request.ContentLength > 0)
        {
            request.Content = new StringContent(await new StreamReader(context.Request.Body).ReadToEndAsync(), System.Text.Encoding.UTF8, "application/json");
        }

        using var answer = await cloudflare.SendAsync(request);
        context.Response.StatusCode = fails ? StatusCodes.Status500InternalServerError : (int)answer.StatusCode;
        await context.Response.WriteAsync(fails ? "{}" : await answer.Content.ReadAsStringAsync());
    }

    private static async Task<ReleaseState?> StateAsync(ApiHost host)
    {
        using var api = host.Open(ManifestApp.Name);
        return (await new ReleaseStore(api, ManifestApp.Name).ListAsync(default)).FirstOrDefault()?.State;
    }
}
