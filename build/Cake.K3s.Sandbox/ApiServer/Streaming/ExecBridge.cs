using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Pods;

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>Joins a process in a container with a client until either ends.</summary>
internal static class ExecBridge
{
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(IContainerSession session, IClientStreams client, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = client.RunAsync((width, height) => session.ResizeAsync(width, height, ending.Token), ending.Token);
        var input = CopyInputAsync(client.Input, session.StandardInput, ending.Token);
        var outputs = Task.WhenAll(
            CopyOutputAsync(session.StandardOutput, client, ClientStream.Output, ending.Token),
            CopyOutputAsync(session.StandardError, client, ClientStream.Error, ending.Token));
        var exit = session.WaitAsync(ending.Token);
        try
        {
            if (await Task.WhenAny(exit, receiving).ConfigureAwait(false) == exit)
            {
                await outputs.ConfigureAwait(false);
                await client.WriteAsync(ClientStream.Status, JsonBody.Write(Status(await exit.ConfigureAwait(false))), ending.Token).ConfigureAwait(false);
                await client.CloseAsync(ending.Token).ConfigureAwait(false);

                // Cancelling before the client has closed its end would reset the connection, and lose the exit code on its way.
                await receiving.WaitAsync(ClosePatience, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(receiving, input, outputs, exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static JsonObject Status(int code)
    {
        if (code == 0)
        {
            return new JsonObject { ["metadata"] = new JsonObject(), ["status"] = "Success" };
        }

        return new JsonObject
        {
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = $"command terminated with non-zero exit code: exit status {code}",
            ["reason"] = "NonZeroExitCode",
            ["details"] = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ExitCode", ["message"] = $"{code}" }) },
        };
    }

    private static async Task CopyInputAsync(Stream from, Stream? to, CancellationToken cancellationToken)
    {
        if (to is null)
        {
            return;
        }

        await using (to.ConfigureAwait(false))
        {
            var buffer = new byte[1 << 15];
            int read;
            while ((read = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                await to.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task CopyOutputAsync(Stream? from, IClientStreams to, ClientStream stream, CancellationToken cancellationToken)
    {
        if (from is null)
        {
            return;
        }

        var buffer = new byte[1 << 15];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            await to.WriteAsync(stream, buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }
    }
}
