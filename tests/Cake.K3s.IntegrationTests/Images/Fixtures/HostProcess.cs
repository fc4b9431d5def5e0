using System.Diagnostics;
using Cake.K3s.IntegrationTests.Sandbox;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>The compiled host, run as a process of its own on an app's directory.</summary>
internal static class HostProcess
{
    /// <summary>Writes the settings that the host reads: one environment, whose cluster is never asked.</summary>
    public static void WriteSettings(App app, string privateKey = "cosign.key")
    {
        Directory.CreateDirectory(Path.Combine(TestSandbox.RepositoryRoot, ".tools"));
        Directory.CreateSymbolicLink(app.Files.File(".tools"), Path.Combine(TestSandbox.RepositoryRoot, ".tools"));
        Directory.CreateDirectory(TemporaryFiles(app));
        var registry = app.Environment.Registry;
        app.Files.Write("kubeconfig", """
            apiVersion: v1
            kind: Config
            current-context: none
            contexts: [{name: none, context: {cluster: none, user: none}}]
            clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
            users: [{name: none, user: {}}]
            """);
        app.Files.Write("manifests/app/none.yaml", "");
        var images = app.Settings.Images.Keys.Order(StringComparer.Ordinal).Select(image => $"  {image}:\n    context: {image}");
        app.Files.Write("deploy.yaml", $"""
            app: shop
            defaultEnvironment: test
            images:
            {string.Join('\n', images)}
            environments:
              test:
                cluster:
                  kubeconfig: kubeconfig
                registry:
                  address: {registry.Host}/{registry.Prefix}
                  insecure: {(registry.Insecure ? "true" : "false")}
                signing:
                  privateKey: {privateKey}
                  publicKey: cosign.pub
                  password:
                    variable: KEY_PASSWORD
            """);
    }

    /// <summary>Where the host and what it starts leave what they leave.</summary>
    public static string TemporaryFiles(App app) => app.Files.File("tmp");

    /// <summary>Starts a task of the host without those that it depends on.</summary>
    public static Process Start(App app, string target, IReadOnlyDictionary<string, string>? variables = null)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Build.dll"), "--target=" + target, "--exclusive"])
        {
            WorkingDirectory = app.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOCKER_CONFIG"] = app.Environment.Registry.DockerConfig;
        start.Environment["KEY_PASSWORD"] = App.KeyPassword;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["TMPDIR"] = TemporaryFiles(app);
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
