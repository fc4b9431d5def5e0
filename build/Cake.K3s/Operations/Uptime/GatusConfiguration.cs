using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Uptime;

/// <summary>The configuration of Gatus, made from the checks. It is JSON, which is YAML too.</summary>
internal static class GatusConfiguration
{
    /// <summary>The variable with the address of the Slack webhook.</summary>
    public const string SlackVariable = "SLACK_WEBHOOK_URL";

    /// <summary>The variable with the mail server's password.</summary>
    public const string MailVariable = "SMTP_PASSWORD";

    /// <summary>The variable with the address that is told that Gatus lives.</summary>
    public const string HeartbeatVariable = "HEARTBEAT_URL";

    /// <summary>The port that it answers on.</summary>
    public const int Port = 8080;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes it.</summary>
    /// <param name="group">What the checks are shown under.</param>
    /// <param name="settings">The checks.</param>
    /// <param name="hasHeartbeat">Whether somebody outside waits for a sign of life.</param>
    public static string Write(string group, UptimeSettings settings, bool hasHeartbeat)
    {
        var gatus = settings.Gatus!;
        var alerting = new JsonObject();
        if (gatus.Slack is not null)
        {
            alerting["slack"] = new JsonObject { ["webhook-url"] = Variable(SlackVariable), ["default-alert"] = DefaultAlert(gatus) };
        }

        if (gatus.Email is { } mail)
        {
            alerting["email"] = Mail(mail, gatus);
        }

        var alerts = new JsonArray([.. alerting.Select(provider => new JsonObject { ["type"] = provider.Key })]);
        var endpoints = settings.Checks.Select(check => Endpoint(group, check, alerts));
        if (hasHeartbeat)
        {
            // The dead-man: while Gatus runs and reaches the internet, the address outside is asked for; its silence is told there.
            endpoints = endpoints.Append(new()
            {
                ["name"] = "sign-of-life",
                ["group"] = group,
                ["url"] = Variable(HeartbeatVariable),
                ["interval"] = "1m",
                ["conditions"] = new JsonArray("[STATUS] < 300"),
                ["ui"] = new JsonObject { ["hide-url"] = true, ["hide-hostname"] = true },
            });
        }

        return new JsonObject
        {
            ["web"] = new JsonObject { ["port"] = Port },
            ["alerting"] = alerting,
            ["endpoints"] = new JsonArray([.. endpoints]),
        }.ToJsonString(Indented);
    }

    private static JsonObject Endpoint(string group, UptimeCheck check, JsonArray alerts)
    {
        var conditions = new JsonArray($"[STATUS] == {check.Status}", string.Create(CultureInfo.InvariantCulture, $"[RESPONSE_TIME] < {check.Limit.Value.TotalMilliseconds:0}"));
        if (check.Contains is { } text)
        {
            conditions.Add($"[BODY] == pat(*{text}*)");
        }

        if (check.Url.StartsWith("https://", StringComparison.Ordinal))
        {
            conditions.Add($"[CERTIFICATE_EXPIRATION] > {check.CertificateDays * 24}h");
        }

        return new()
        {
            ["name"] = check.Name,
            ["group"] = group,
            ["url"] = check.Url,
            ["interval"] = check.Interval.ToString(),
            ["conditions"] = conditions,
            ["alerts"] = alerts.DeepClone(),
        };
    }

    private static JsonObject Mail(EmailSettings mail, GatusSettings gatus)
    {
        var node = new JsonObject
        {
            ["from"] = mail.From,
            ["host"] = mail.Server,
            ["port"] = mail.Port,
            ["to"] = string.Join(',', mail.To),
            ["default-alert"] = DefaultAlert(gatus),
        };
        if (mail.User is { } user)
        {
            node["username"] = user;
            node["password"] = Variable(MailVariable);
        }

        return node;
    }

    private static JsonObject DefaultAlert(GatusSettings gatus) => new()
    {
        ["enabled"] = true,
        ["failure-threshold"] = gatus.Failures,
        ["success-threshold"] = 2,
        ["send-on-resolved"] = true,
    };

    private static string Variable(string name) => "${" + name + "}";
}
