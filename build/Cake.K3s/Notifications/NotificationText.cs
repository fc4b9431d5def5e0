using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Notifications;

/// <summary>What messages say.</summary>
internal static class NotificationText
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>In one line.</summary>
    public static string Subject(RunResult result) =>
        $"{result.App} {result.Environment}: {result.Target} {Word(result.Outcome)}{(result.Release is { } release ? $" (release {release})" : "")}";

    /// <summary>As lines of text.</summary>
    public static string Body(RunResult result) => string.Join('\n', Lines(result));

    /// <summary>As the body of a request to an incoming webhook of Slack.</summary>
    public static string Slack(RunResult result)
    {
        var mark = result.Outcome switch { RunOutcome.Success => ":white_check_mark:", RunOutcome.RolledBack => ":leftwards_arrow_with_hook:", _ => ":x:" };
        return new JsonObject { ["text"] = $"{mark} *{Escaped(Subject(result))}*\n{Escaped(Body(result))}" }.ToJsonString(Plain);
    }

    /// <summary>As the body of a request to any other address.</summary>
    public static string Json(RunResult result) => new JsonObject
    {
        ["app"] = result.App,
        ["environment"] = result.Environment,
        ["target"] = result.Target,
        ["outcome"] = SettingsKey.CamelCase(result.Outcome.ToString()),
        ["exitCode"] = result.ExitCode,
        ["failure"] = result.Failure,
        ["nextStep"] = result.NextStep,
        ["release"] = result.Release,
        ["seconds"] = Math.Round(result.Duration.TotalSeconds, 1),
        ["by"] = result.Origin.By,
        ["run"] = result.Origin.CiRun,
    }.ToJsonString(Plain);

    private static IEnumerable<string> Lines(RunResult result)
    {
        if (result.Failure is { } failure)
        {
            yield return failure;
        }

        if (result.NextStep is { } step)
        {
            yield return "Next: " + step;
        }

        yield return $"by {result.Origin.By}, {RunSummary.Text(result.Duration)}{(result.Origin.CiRun is { } page ? ", " + page : "")}";
    }

    private static string Word(RunOutcome outcome) => outcome switch
    {
        RunOutcome.Success => "succeeded",
        RunOutcome.RolledBack => "failed and was rolled back",
        RunOutcome.Cancelled => "was cancelled",
        _ => "failed",
    };

    // What Slack takes for markup (api.slack.com, formatting text).
    private static string Escaped(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);
}
