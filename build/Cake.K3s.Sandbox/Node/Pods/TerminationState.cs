using System.Text;
using Cake.K3s.Sandbox.Node.Engine;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>How an instance of a container ended.</summary>
internal static class TerminationState
{
    private const int LongestMessage = 4096;
    private const int LongestLog = 2048;
    private const int LogLines = 80;
    private const int StartErrorCode = 128;

    /// <summary>The state as a kubelet writes it, with the message that the process left, or the end of its log where that is asked for.</summary>
    public static async Task<V1ContainerStateTerminated> OfAsync(
        ContainerRecord record, V1Container? container, string messageFile, ContainerEngine engine, CancellationToken cancellationToken)
    {
        var failedToStart = record.Error.Length > 0 && record.StartedAt is null;
        var message = failedToStart ? StartFailure.Describe(record.Error) : ReadMessage(messageFile);
        if (message.Length == 0 && record.ExitCode != 0 && container?.TerminationMessagePolicy == "FallbackToLogsOnError")
        {
            message = Tail(await engine.TailAsync(record.Id, LogLines, cancellationToken), LongestLog);
        }

        return new()
        {
            ContainerID = "docker://" + record.Id,
            ExitCode = failedToStart ? StartErrorCode : record.ExitCode,
            Reason = Reason(record, failedToStart),
            Message = message.Length > 0 ? message : null,
            StartedAt = (record.StartedAt ?? DateTimeOffset.UnixEpoch).UtcDateTime,
            FinishedAt = (record.FinishedAt ?? record.CreatedAt).UtcDateTime,
        };
    }

    private static string Reason(ContainerRecord record, bool failedToStart) =>
        failedToStart ? "StartError" : record.OutOfMemory ? "OOMKilled" : record.ExitCode == 0 ? "Completed" : "Error";

    private static string ReadMessage(string file) =>
        File.Exists(file) ? Tail(Encoding.UTF8.GetString(File.ReadAllBytes(file)), LongestMessage) : "";

    private static string Tail(string text, int length) => text.Length > length ? text[^length..] : text;
}
