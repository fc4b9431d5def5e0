using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cake.K3s.Scaffolding;

/// <summary>A deploy.yaml for an app that was looked at.</summary>
internal static partial class SettingsDraft
{
    private const string ManifestFolder = "manifests/app";

    /// <summary>The text of deploy.yaml. What could not be found out is there as a comment.</summary>
    public static string Write(AppSurvey app)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# yaml-language-server: $schema=deploy.schema.json\napp: {app.Name}\n\nimages:\n");
        foreach (var (name, image) in app.Images)
        {
            WriteImage(text, name, image);
        }

        text.Append(CultureInfo.InvariantCulture, $"\nmanifests: [{string.Join(", ", (app.Manifests?.Folders ?? [ManifestFolder]).Select(Quoted))}]\n");
        if (!app.Tests.IsEmpty)
        {
            text.Append("\nchecks:\n  test:\n");
            app.Tests.ToList().ForEach(test => text.Append(CultureInfo.InvariantCulture, $"    - {test}\n"));
        }

        text.Append("\nenvironments:\n");
        WriteSandbox(text, app);
        if (app.Contexts.IsEmpty)
        {
            var cluster = new StringBuilder();
            WriteCluster(cluster, app, "production", "production");
            text.Append("\n  # A cluster of yours: its kubeconfig, a registry that its nodes can pull from, a signing key.\n");
            cluster.ToString().TrimEnd().Split('\n').ToList().ForEach(line => text.Append("  # ").Append(line[2..]).Append('\n'));
        }

        foreach (var context in app.Contexts)
        {
            text.Append('\n');
            WriteCluster(text, app, app.Contexts.Length == 1 ? "production" : AppSurveyor.Label(context), context);
        }

        return text.ToString();
    }

    private static void WriteImage(StringBuilder text, string name, FoundImage image)
    {
        text.Append(CultureInfo.InvariantCulture, $"  {name}:\n    context: {Quoted(image.Context)}\n");
        if (image.DockerfilePath != "Dockerfile")
        {
            text.Append(CultureInfo.InvariantCulture, $"    dockerfile: {Quoted(image.DockerfilePath)}\n");
        }

        if (image.Prepare is { } prepare)
        {
            text.Append(CultureInfo.InvariantCulture, $"    prepare: {prepare}\n");
        }
        else if (!image.Missing.IsEmpty)
        {
            text.Append(CultureInfo.InvariantCulture, $"    # prepare: the command that makes {string.Join(", ", image.Missing)}, which the Dockerfile copies\n");
        }
    }

    private static void WriteSandbox(StringBuilder text, AppSurvey app)
    {
        text.Append("  # A cluster, a registry and, if asked for, a Postgres on this machine; nothing to set up.\n  sandbox:\n    sandbox:\n");
        text.Append("      ingressPort: 0    # a free one; the deploy prints the address\n");
        var bases = app.Images.Where(image => !image.Value.Dockerfile.BaseArguments.IsEmpty).ToList();
        if (bases.Count > 0)
        {
            text.Append("    arguments:\n");
            foreach (var (name, image) in bases)
            {
                // The sandbox makes two base images itself; which one is meant only the app's owner knows, unless it is a .NET app.
                text.Append(CultureInfo.InvariantCulture, $"      {name}: {{{string.Join(", ", image.Dockerfile.BaseArguments.Select(argument => $"{argument}: \"sandbox://aspnet\""))}}}\n");
            }
        }

        WriteValues(text, app, name => name.Contains("DATABASE", StringComparison.Ordinal) || name.Contains("POSTGRES", StringComparison.Ordinal)
            ? "{sandbox: postgres}"
            : $"{{variable: {name}}}", $"{app.Name}.localhost");
    }

    private static void WriteCluster(StringBuilder text, AppSurvey app, string name, string context)
    {
        text.Append(CultureInfo.InvariantCulture, $"  {name}:\n    cluster:\n      kubeconfig: {Quoted(app.Kubeconfig)}\n      context: {Quoted(context)}\n");
        text.Append(CultureInfo.InvariantCulture, $"    registry:\n      address: {app.Registry ?? $"registry.example.com/{app.Name}"}\n");
        text.Append("    signing:\n      privateKey: cosign.key    # --target=SignKeyCreate makes the pair; cosign.pub belongs into git\n");
        text.Append("      publicKey: cosign.pub\n      password: {variable: COSIGN_PASSWORD}\n");
        WriteValues(text, app, secret => $"{{variable: {secret}}}", $"{app.Name}.example.com");
        text.Append("    # Nodes, hardening, backups, uptime, edge, regions: docs/production.md of Cake.K3s has a whole environment to copy from.\n");
    }

    private static void WriteValues(StringBuilder text, AppSurvey app, Func<string, string> secret, string host)
    {
        IReadOnlyCollection<string> variables = app.Manifests is { } found ? found.Variables : ManifestDraft.HasIngress(app) ? [ManifestDraft.HostVariable] : [];
        if (variables.Count > 0)
        {
            text.Append("    variables:\n");
            foreach (var variable in variables)
            {
                text.Append(CultureInfo.InvariantCulture, $"      {variable}: {(IsHost().IsMatch(variable) ? host : variable.Contains("REPLICAS", StringComparison.Ordinal) ? "1" : "change-me")}\n");
            }
        }

        if (app.Manifests is { Secrets: { IsEmpty: false } secrets })
        {
            text.Append("    secrets:\n");
            foreach (var name in secrets)
            {
                text.Append(CultureInfo.InvariantCulture, $"      {name}: {secret(name)}\n");
            }
        }
    }

    private static string Quoted(string value) => Plain().IsMatch(value) ? value : JsonSerializer.Serialize(value);

    [GeneratedRegex(@"^[A-Za-z0-9./~_][A-Za-z0-9./@_-]*$")]
    private static partial Regex Plain();

    [GeneratedRegex("HOST|DOMAIN")]
    private static partial Regex IsHost();
}
