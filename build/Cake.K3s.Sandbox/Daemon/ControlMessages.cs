using System.Text.Json;
using System.Text.Json.Serialization;
using Cake.K3s.Reporting;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>What the daemon is asked for on its control socket, as JSON over HTTP.</summary>
internal static class ControlMessages
{
    /// <summary>POST: brings up what is down; answers lines of <see cref="OpenMessage"/>.</summary>
    public const string Open = "/open";

    /// <summary>GET: answers a <see cref="SandboxStatus"/>.</summary>
    public const string Status = "/status";
}

/// <summary>One line of the daemon's answer: a step on the way, or the end of it in one of two ways.</summary>
internal sealed record OpenMessage
{
    public StepMessage? Step { get; init; }

    public SandboxAddresses? Ready { get; init; }

    public FailureMessage? Failed { get; init; }
}

/// <summary>A line for the operator.</summary>
internal sealed record StepMessage(LineLevel Level, string Source, string Text);

/// <summary>A <see cref="K3sException"/> on its way from the daemon to the operator.</summary>
internal sealed record FailureMessage(int ExitCode, string Summary, string? NextStep, IReadOnlyList<string> Details)
{
    public static FailureMessage Of(Exception exception) => exception is K3sException known
        ? new(known.ExitCode, known.Summary, known.NextStep, known.Details)
        : new(ExitCodes.Failed, $"the sandbox failed: {exception.Message}", "Run the same command again; .sandbox/logs/daemon.log tells more.", [.. exception.ToString().Split('\n')]);

    public K3sException ToException() => new(ExitCode, Summary, NextStep, Details);
}

/// <summary>Where the parts of a sandbox that is up are.</summary>
/// <param name="Kubeconfig">Absolute path.</param>
/// <param name="Registry">Host and port.</param>
/// <param name="DockerHost">The engine, <c>unix://…</c>.</param>
/// <param name="IngressPort">On 127.0.0.1.</param>
/// <param name="PostgresUrl">With its password: the control socket is the owner's alone.</param>
internal sealed record SandboxAddresses(string Kubeconfig, string Registry, string DockerHost, int IngressPort, string PostgresUrl);

/// <summary>How all parts are.</summary>
internal sealed record SandboxStatus(IReadOnlyList<PartStatus> Parts);

/// <summary>Reads and writes what goes over the control socket and what is kept in the state; generated, so that nothing is compiled at run time.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = false)]
[JsonSerializable(typeof(OpenMessage))]
[JsonSerializable(typeof(SandboxStatus))]
[JsonSerializable(typeof(SandboxState))]
internal sealed partial class SandboxJson : JsonSerializerContext;
