using System.Text.Json;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>Answers on the control socket. Whoever may open the socket owns the sandbox: the directory around it has mode 700.</summary>
internal static class ControlServer
{
    /// <summary>Starts to listen.</summary>
    public static async Task<WebApplication> StartAsync(
        SandboxDirectory directory,
        StepLog steps,
        Func<CancellationToken, Task<SandboxParts>> open,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        PrivateFiles.MakeDirectory(directory.Runtime);

        // Left by a daemon that was killed; the lock says that there is no other.
        File.Delete(directory.ControlSocket);
        var builder = DaemonHost.CreateBuilder(loggers);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(directory.ControlSocket));
        var application = builder.Build();
        application.MapPost(ControlMessages.Open, context => AnswerAsync(context, steps, open));
        application.MapGet(ControlMessages.Status, async (CancellationToken token) =>
            Results.Json(await (await open(token)).StatusAsync(token), SandboxJson.Default.SandboxStatus));
        await application.StartAsync(cancellationToken);
        return application;
    }

    private static async Task AnswerAsync(HttpContext context, StepLog steps, Func<CancellationToken, Task<SandboxParts>> open)
    {
        SandboxParts? parts = null;
        try
        {
            // What has been begun for one caller goes on without it: another may be waiting for the same.
            await foreach (var line in steps.WhileAsync(OpenAsync))
            {
                await WriteAsync(context, new OpenMessage { Step = new StepMessage(line.Level, line.Source, line.Text) });
            }

            await WriteAsync(context, new OpenMessage { Ready = parts!.Addresses });
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            await WriteAsync(context, new OpenMessage { Failed = FailureMessage.Of(exception) });
        }

        async Task OpenAsync()
        {
            parts = await open(CancellationToken.None);
            await parts.EnsureAsync(CancellationToken.None);
        }
    }

    private static async Task WriteAsync(HttpContext context, OpenMessage message)
    {
        await JsonSerializer.SerializeAsync(context.Response.Body, message, SandboxJson.Default.OpenMessage, context.RequestAborted);
        await context.Response.WriteAsync("\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
