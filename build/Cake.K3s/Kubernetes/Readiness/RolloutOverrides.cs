using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>What an object's annotations say about how its rollout is judged.</summary>
/// <param name="Ignore"><c>cake.k3s/ignore: "true"</c>: its state does not count.</param>
/// <param name="AllowedRestarts"><c>cake.k3s/allow-restarts</c>: how often each container of a replica may be restarted.</param>
/// <param name="AllowsRestartsExplicitly">Whether the annotation is there; then it also covers being killed for memory.</param>
/// <param name="Deadline"><c>cake.k3s/deadline</c>: instead of deploy.yaml's; null for that.</param>
/// <param name="Settle"><c>cake.k3s/settle</c>: how long a container must have run before its pod counts as ready.</param>
internal sealed record RolloutOverrides(
    bool Ignore, int AllowedRestarts, bool AllowsRestartsExplicitly, TimeSpan? Deadline, TimeSpan Settle)
{
    public const string IgnoreAnnotation = "cake.k3s/ignore";
    public const string AllowRestartsAnnotation = "cake.k3s/allow-restarts";
    public const string DeadlineAnnotation = "cake.k3s/deadline";
    public const string SettleAnnotation = "cake.k3s/settle";

    /// <summary>One restart a replica: a first start that loses a race with what it depends on is common and heals.</summary>
    public const int DefaultAllowedRestarts = 1;

    /// <summary>Longer than the ten seconds after which an app without a connection or a licence typically gives up.</summary>
    public static readonly TimeSpan DefaultSettle = TimeSpan.FromSeconds(12);

    /// <exception cref="K3sException">An annotation has a value that cannot be read (exit code 2).</exception>
    public static RolloutOverrides Of(JsonObject target)
    {
        var restarts = target.Annotation(AllowRestartsAnnotation);
        return new(
            target.Annotation(IgnoreAnnotation) is { } ignore && Read(target, IgnoreAnnotation, ignore, "true or false", ReadFlag),
            restarts is null ? DefaultAllowedRestarts : Read(target, AllowRestartsAnnotation, restarts, "a number, e.g. \"3\"", ReadCount),
            restarts is not null,
            target.Annotation(DeadlineAnnotation) is { } deadline
                ? Read(target, DeadlineAnnotation, deadline, "a duration, e.g. 10m", ReadDuration)
                : null,
            target.Annotation(SettleAnnotation) is { } settle
                ? Read(target, SettleAnnotation, settle, "a duration, e.g. 30s", ReadDuration)
                : DefaultSettle);
    }

    private static T Read<T>(JsonObject target, string name, string text, string expected, Func<string, T?> read)
        where T : struct =>
        read(text) ?? throw new K3sException(
            ExitCodes.BadInput,
            $"{target.Text("kind")}/{target.ObjectName()}: annotation {name} is \"{text}\"; expected {expected}",
            "Correct it in the manifest; docs/rollouts.md lists the annotations.");

    private static bool? ReadFlag(string text) => bool.TryParse(text, out var flag) ? flag : null;

    private static int? ReadCount(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;

    private static TimeSpan? ReadDuration(string text) => Duration.TryParse(text, out var duration) ? duration.Value : null;
}
