using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Streaming;

namespace Cake.K3s.Sandbox.ApiServer.Pods;

/// <summary>The requests that end at the node: log, exec, attach and portforward.</summary>
internal sealed class PodRequests(ObjectStore store, IServiceProvider services, IHostApplicationLifetime lifetime)
{
    private const string SpdyProtocol = "SPDY/3.1";

    /// <summary>Found when first needed: the node is itself a client of this server.</summary>
    private readonly Lazy<IPodRuntime?> _runtime = new(services.GetService<IPodRuntime>);

    public async Task LogAsync(HttpContext context, RequestTarget target)
    {
        var pod = Pod(target);
        var query = context.Request.Query;
        var container = Container(pod, query["container"].ToString(), "pod");
        context.Response.ContentType = "text/plain";
        if (pod.Object("spec").Text("nodeName") is not { Length: > 0 })
        {
            return;
        }

        var request = new ContainerLogRequest(
            Reference(pod), container, Flag(query["follow"]), Flag(query["previous"]), Flag(query["timestamps"]),
            Number(query, "tailLines"), Number(query, "limitBytes"), Since(query));
        using var ending = Ending(context);
        var log = await CallAsync(runtime => runtime.OpenLogsAsync(request, ending.Token)).ConfigureAwait(false);
        await using (log.ConfigureAwait(false))
        {
            await context.Response.StartAsync(ending.Token).ConfigureAwait(false);
            var buffer = new byte[1 << 15];
            int read;
            while ((read = await log.ReadAsync(buffer, ending.Token).ConfigureAwait(false)) > 0)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), ending.Token).ConfigureAwait(false);
                await context.Response.Body.FlushAsync(ending.Token).ConfigureAwait(false);
            }
        }
    }

    public async Task ExecAsync(HttpContext context, RequestTarget target, bool attach)
    {
        var pod = Pod(target);
        var query = context.Request.Query;
        var container = Container(pod, query["container"].ToString(), "pod");
        var (stdin, stdout, stderr, tty) = (Flag(query["stdin"]), Flag(query["stdout"]), Flag(query["stderr"]), Flag(query["tty"]));
        var command = query["command"].Select(part => part ?? "").ToArray();
        if (!attach && command.Length == 0)
        {
            throw ApiErrors.BadRequest("you must specify at least 1 command for the container");
        }

        CheckRunning(pod);
        CheckUpgrade(context);
        using var ending = Ending(context);
        var session = await CallAsync(runtime => attach
            ? runtime.AttachAsync(new ContainerAttachRequest(Reference(pod), container, stdin, stdout, stderr && !tty, tty), ending.Token)
            : runtime.ExecAsync(new ContainerExecRequest(Reference(pod), container, command, stdin, stdout, stderr && !tty, tty), ending.Token))
            .ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var count = 1 + (stdin ? 1 : 0) + (stdout ? 1 : 0) + (stderr && !tty ? 1 : 0) + (tty ? 1 : 0);
            var client = await AcceptAsync(context, count).ConfigureAwait(false);
            await using (client.ConfigureAwait(false))
            {
                await ExecBridge.RunAsync(session, client, ending.Token).ConfigureAwait(false);
            }
        }
    }

    public async Task PortForwardAsync(HttpContext context, RequestTarget target)
    {
        var pod = Pod(target);
        CheckRunning(pod);
        CheckUpgrade(context);
        using var ending = Ending(context);
        var forwarding = await CallAsync(runtime => Task.FromResult(new PortForwarding(runtime, Reference(pod)))).ConfigureAwait(false);
        if (!context.WebSockets.IsWebSocketRequest)
        {
            var raw = new SpdyConnection(await UpgradeAsync(context, "portforward.k8s.io").ConfigureAwait(false));
            await using (raw.ConfigureAwait(false))
            {
                await forwarding.RunAsync(raw, ending.Token).ConfigureAwait(false);
            }

            return;
        }

        var offered = context.WebSockets.WebSocketRequestedProtocols;
        if (offered.Contains(PortForwarding.TunnelProtocol))
        {
            // .NET takes no slash in the name of a protocol, so the header is written here.
            context.Response.Headers.SecWebSocketProtocol = PortForwarding.TunnelProtocol;
            using var socket = await context.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
            var tunnel = new SpdyConnection(System.Net.WebSockets.WebSocketStream.Create(
                socket, System.Net.WebSockets.WebSocketMessageType.Binary, closeTimeout: TimeSpan.FromSeconds(1)));
            await using (tunnel.ConfigureAwait(false))
            {
                await forwarding.RunAsync(tunnel, ending.Token).ConfigureAwait(false);
            }
        }
        else
        {
            var ports = context.Request.Query["ports"].SelectMany(ports => (ports ?? "").Split(','))
                .Select(port => int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65536
                    ? number
                    : throw ApiErrors.BadRequest($"unable to parse \"{port}\" as a port"))
                .ToArray();
            using var socket = await context.WebSockets.AcceptWebSocketAsync(
                offered.Contains(PortForwarding.ChannelProtocol) ? PortForwarding.ChannelProtocol : null).ConfigureAwait(false);
            await forwarding.RunAsync(socket, ports, ending.Token).ConfigureAwait(false);
        }
    }

    /// <summary>These go on for long: they end with the client, and with the server.</summary>
    private CancellationTokenSource Ending(HttpContext context)
        => CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);

    private JsonObject Pod(RequestTarget target)
        => store.Find(new ObjectKey(target.Resource.StorageName, target.StorageNamespace, target.Name!))?.ReadObject()
            ?? throw ApiErrors.NotFound(target.Resource, target.Name!);

    private static string Container(JsonObject pod, string asked, string kind)
    {
        var spec = pod.Object("spec");
        var names = spec.Objects("containers").Select(container => container.Text("name") ?? "").ToList();
        if (asked.Length > 0)
        {
            var all = names.Concat(spec.Objects("initContainers").Concat(spec.Objects("ephemeralContainers")).Select(container => container.Text("name") ?? ""));
            return all.Contains(asked) ? asked : throw ApiErrors.BadRequest($"container {asked} is not valid for {kind} {pod.Name()}");
        }

        if (names.Count == 1)
        {
            return names[0];
        }

        var initial = spec.Objects("initContainers").Select(container => container.Text("name")).ToArray();
        throw ApiErrors.BadRequest($"a container name must be specified for pod {pod.Name()}, choose one of: [{string.Join(' ', names)}]"
            + (initial.Length > 0 ? $" or one of the init containers: [{string.Join(' ', initial)}]" : ""));
    }

    private static void CheckRunning(JsonObject pod)
    {
        if (pod.Object("spec").Text("nodeName") is not { Length: > 0 })
        {
            throw ApiErrors.BadRequest($"pod {pod.Name()} does not have a host assigned");
        }

        if (pod.Object("status").Text("phase") is "Succeeded" or "Failed")
        {
            throw new ApiException(500, "InternalError", $"cannot exec into a container in a completed pod; current phase is {pod.Object("status").Text("phase")}");
        }
    }

    private static void CheckUpgrade(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest && !context.Request.Headers.Upgrade.ToString().Equals(SpdyProtocol, StringComparison.OrdinalIgnoreCase))
        {
            throw ApiErrors.BadRequest("Upgrade request required");
        }
    }

    private static async Task<IClientStreams> AcceptAsync(HttpContext context, int streams)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            var protocol = WebSocketStreams.Protocols.FirstOrDefault(context.WebSockets.WebSocketRequestedProtocols.Contains);
            return new WebSocketStreams(await context.WebSockets.AcceptWebSocketAsync(protocol).ConfigureAwait(false));
        }

        var connection = new SpdyConnection(await UpgradeAsync(context, "v4.channel.k8s.io").ConfigureAwait(false));
        return await SpdyStreams.OpenAsync(connection, streams, context.RequestAborted).ConfigureAwait(false);
    }

    private static Task<Stream> UpgradeAsync(HttpContext context, string protocol)
    {
        var upgrade = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpUpgradeFeature>()
            ?? throw ApiErrors.BadRequest("the connection cannot be upgraded");
        context.Response.Headers.Upgrade = SpdyProtocol;
        context.Response.Headers.Connection = "Upgrade";
        context.Response.Headers["X-Stream-Protocol-Version"] = protocol;
        return upgrade.UpgradeAsync();
    }

    private async Task<T> CallAsync<T>(Func<IPodRuntime, Task<T>> call)
    {
        var runtime = _runtime.Value ?? throw ApiErrors.Internal("no node is there to answer for the pod");
        try
        {
            return await call(runtime).ConfigureAwait(false);
        }
        catch (PodRuntimeException exception)
        {
            throw exception.StatusCode == 400 ? ApiErrors.BadRequest(exception.Message) : new ApiException(exception.StatusCode, "InternalError", exception.Message);
        }
    }

    private static PodReference Reference(JsonObject pod) => new(pod.Namespace() ?? "", pod.Name() ?? "", pod.Uid());

    private static bool Flag(string? text) => text is "true" or "1" or "True";

    private static long? Number(IQueryCollection query, string name)
    {
        if (query[name].ToString() is not { Length: > 0 } text)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ApiErrors.Invalid("", "PodLogOptions", "", [FieldError.Invalid(name, text, "must be greater than or equal to 0")]);
    }

    private static DateTimeOffset? Since(IQueryCollection query)
    {
        if (Number(query, "sinceSeconds") is { } seconds)
        {
            return DateTimeOffset.UtcNow.AddSeconds(-seconds);
        }

        return DateTimeOffset.TryParse(query["sinceTime"].ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }
}
