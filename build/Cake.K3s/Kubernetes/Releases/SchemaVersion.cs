using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>
/// Finds the version that a migration left the schema at: the annotation of its manifest, else what it wrote to
/// <c>/dev/termination-log</c>, else the last line of its log of the form <c>schema version: 7</c>.
/// </summary>
internal static partial class SchemaVersion
{
    /// <param name="job">The Job.</param>
    /// <param name="pods">Its pods.</param>
    /// <param name="log">Its log, oldest line first.</param>
    public static string? Of(JsonObject job, IEnumerable<JsonObject> pods, IEnumerable<string> log) =>
        job.Annotation(MigrationJob.SchemaVersionAnnotation)
        ?? pods.SelectMany(pod => pod.ContainerStatuses())
            .Where(status => status.Number("state", "terminated", "exitCode") == 0)
            .Select(status => Read(status.Text("state", "terminated", "message")))
            .LastOrDefault(version => version is not null)
        ?? log.Select(ReadLine).LastOrDefault(version => version is not null);

    private static string? Read(string? message) =>
        message is null ? null : ReadLine(message) ?? (Bare().IsMatch(message.Trim()) ? message.Trim() : null);

    private static string? ReadLine(string line) => Line().Match(line) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"\bschema version:?\s+([A-Za-z0-9][A-Za-z0-9._-]*)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Line();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex Bare();
}
