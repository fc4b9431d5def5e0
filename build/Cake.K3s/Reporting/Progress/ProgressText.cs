using System.Globalization;

namespace Cake.K3s.Reporting.Progress;

/// <summary>The words for what goes on, the same on a live display and in plain lines.</summary>
internal static class ProgressText
{
    /// <summary>How a task ended.</summary>
    public static string Of(TaskEnded ended) => ended.Outcome switch
    {
        TaskOutcome.Skipped => ended.Reason is null ? "skipped" : $"skipped: {ended.Reason}",
        TaskOutcome.Failed => $"failed after {Of(ended.Duration)}",
        TaskOutcome.Cancelled => $"cancelled after {Of(ended.Duration)}",
        _ => $"done in {Of(ended.Duration)}",
    };

    /// <summary>How far an image is.</summary>
    public static string Of(ImageProgressed image) => image.Stage switch
    {
        ImageStage.Build => $"building, step {image.Done} of {image.Total}{(image.Text is null ? "" : $": {image.Text}")}",
        _ => string.Create(CultureInfo.InvariantCulture, $"uploading, {image.Done / 1e6:0.0} of {image.Total / 1e6:0.0} MB"),
    };

    /// <summary>How a workload stands.</summary>
    public static string Of(WorkloadChanged workload) => workload.State switch
    {
        WorkloadState.Failed => $"failed: {workload.Message}",
        WorkloadState.Struggling => $"may recover: {workload.Message}",
        _ => workload.Message,
    };

    /// <summary>How a pod stands.</summary>
    public static string Of(PodState pod)
    {
        var restarts = pod.Restarts switch
        {
            0 => "",
            1 => ", restarted once",
            var count => $", restarted {count} times",
        };
        return $"{pod.Status}{(pod.Ready ? "" : ", not ready")}{restarts}{(pod.Node is null ? "" : $", on {pod.Node}")}";
    }

    /// <summary>The pods that are worth a look: those of the new version that are not ready, and those that were restarted.</summary>
    public static IEnumerable<PodState> Telling(WorkloadChanged workload) => workload.Pods.Where(pod => pod.IsNew && (!pod.Ready || pod.Restarts > 0));

    /// <summary>The name of a workload.</summary>
    public static string NameOf(WorkloadChanged workload) => $"{workload.Kind}/{workload.Name}";

    /// <summary>A duration that has ended.</summary>
    public static string Of(TimeSpan duration) => duration.TotalMinutes >= 1
        ? Running(duration)
        : string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0} s");

    /// <summary>A duration that goes on: in whole seconds, so that it changes no more often than it must.</summary>
    public static string Running(TimeSpan duration) => duration.TotalMinutes >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)duration.TotalMinutes} min {duration.Seconds:00} s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)duration.TotalSeconds} s");
}
