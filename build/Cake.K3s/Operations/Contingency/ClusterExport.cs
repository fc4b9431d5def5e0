using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.Operations.Contingency;

/// <summary>All that is needed to build the cluster elsewhere, as one archive that only the holder of the backups' age identity can read.</summary>
public sealed class ClusterExport
{
    private const string Source = "export";
    private const string Partial = ".partial";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly DatabaseBackups _backups;
    private readonly IToolbox _toolbox;
    private readonly ICommandRunner _commands;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal ClusterExport(
        PipelineRun run, ClusterConnector connector, DatabaseBackups backups, IToolbox toolbox, ICommandRunner commands, IReporter reporter, TimeProvider time)
    {
        _run = run;
        _connector = connector;
        _backups = backups;
        _toolbox = toolbox;
        _commands = commands;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Writes the archive to the file that <c>--out</c> names, or below artifacts/export/.</summary>
    /// <exception cref="K3sException">deploy.yaml names no age recipient (exit code 2), the cluster cannot be read, or age fails.</exception>
    public async Task ExportAsync()
    {
        var environment = _run.EnvironmentSettings;
        var backup = environment.Backup ?? throw new K3sException(
            ExitCodes.BadInput,
            $"environment {environment.Name} has no 'backup' in deploy.yaml, whose age recipient an export is encrypted for",
            "docs/backups.md shows one.");
        var api = await _connector.OpenAsync((await _run.EnvironmentAsync()).Cluster, _run.Cancellation);
        var now = _time.GetUtcNow();
        using var archive = new ExportArchive(now);
        archive.Add("README.md", ReadMe(environment.Name));
        AddFiles(archive);
        var releases = await AddReleasesAsync(archive, api, _run.Settings.App, _run.Cancellation);
        archive.Add("backup.json", Pointer(backup, await _backups.NewestAsync(backup, _run.Cancellation)).ToJsonString(Indented));

        var file = _run.Options.PlanOut ?? NewFile(Path.Combine(_run.Options.ArtifactsDirectory, "export"), $"{_run.Settings.App}-{environment.Name}", now);
        await EncryptAsync(archive, backup.Recipient, file, _toolbox, _commands, _run.Cancellation);
        _reporter.Step(Source, $"{archive.Count} files, {releases} releases: {file}; age -d -i IDENTITY {Path.GetFileName(file)} | tar x");
    }

    /// <summary>Encrypts an archive; the file is there when all of it is.</summary>
    internal static async Task EncryptAsync(ExportArchive archive, string recipient, string file, IToolbox toolbox, ICommandRunner commands, CancellationToken cancellationToken)
    {
        var age = await toolbox.RequireAsync(ToolName.Age, "task Export", cancellationToken);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new K3sException(ExitCodes.BadInput, $"the export cannot be written to {file}: {e.Message}", "Name a file in a folder of yours with --out.", innerException: e);
        }

        var partial = file + Partial;
        await commands.RunAsync(
            new Command(age.Path, "--encrypt", "--recipient", recipient, "--output", partial)
            {
                Environment = age.Environment,
                StandardInput = new Secret(archive.Finish()),
                Purpose = "encrypt the export",
                NextStep = "See that backup.recipient of the environment is an age recipient.",
                Timeout = Limit,
            },
            cancellationToken);
        File.Move(partial, file, overwrite: true);
    }

    /// <summary>Each release's record, and the manifests that it applied.</summary>
    /// <returns>How many there are.</returns>
    internal static async Task<int> AddReleasesAsync(ExportArchive archive, ClusterApi api, string app, CancellationToken cancellationToken)
    {
        var store = new ReleaseStore(api, app);
        var releases = await store.ListAsync(cancellationToken);
        foreach (var release in releases)
        {
            archive.Add($"releases/{release.Number}/release.json", JsonSerializer.Serialize(release, ReleaseJson.Default.Release));
            archive.Add($"releases/{release.Number}/manifests.json", List(await store.ReadManifestsAsync(release, cancellationToken)).ToJsonString(Indented));
        }

        if (releases.FirstOrDefault(release => release.State == ReleaseState.Verified) is { } current)
        {
            archive.Add("images.json", new JsonObject(current.Images.Select(image => KeyValuePair.Create(image.Key, (JsonNode?)image.Value))).ToJsonString(Indented));
        }

        return releases.Length;
    }

    // kubectl apply -f takes a List as it is.
    private static JsonObject List(IEnumerable<JsonObject> nodes) =>
        new() { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. nodes.Select(node => node.DeepClone())]) };

    // Its name has the time, so a run that was killed leaves a part that no other run writes over.
    private static string NewFile(string directory, string name, DateTimeOffset now)
    {
        foreach (var part in Directory.Exists(directory) ? Directory.GetFiles(directory, name + "-*" + Partial) : [])
        {
            File.Delete(part);
        }

        return Path.Combine(directory, $"{name}-{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}.tar.age");
    }

    private void AddFiles(ExportArchive archive)
    {
        var (settings, environment) = (_run.Settings, _run.EnvironmentSettings);
        var hardening = environment.Hardening;
        archive.AddFile("deploy.yaml", settings.File);
        IEnumerable<string> paths =
        [
            .. environment.Manifests.IsDefaultOrEmpty ? settings.Manifests : environment.Manifests,
            .. hardening.NetworkPolicies?.Manifests ?? [],
            .. hardening.TraefikMiddleware?.Manifests ?? [],
            (environment.Signing ?? settings.Signing).PublicKey,
            "known_hosts",
            "cloudflare-ranges.json",
        ];
        foreach (var path in paths)
        {
            var full = Path.GetFullPath(path, settings.Root);
            var files = Directory.Exists(full) ? Directory.EnumerateFiles(full, "*", SearchOption.AllDirectories) : File.Exists(full) ? [full] : [];
            foreach (var file in files.Order(StringComparer.Ordinal))
            {
                archive.AddFile(Path.GetRelativePath(settings.Root, file).Replace('\\', '/').Replace("../", "", StringComparison.Ordinal), file);
            }
        }
    }

    private static JsonObject Pointer(BackupSettings settings, StoredBackup? newest) => new()
    {
        ["endpoint"] = settings.Storage.Endpoint,
        ["region"] = settings.Storage.Region,
        ["bucket"] = settings.Storage.Bucket,
        ["newest"] = newest?.Name.ToString(),
        ["bytes"] = newest?.Bytes,
    };

    private static string ReadMe(string environment) => $"""
        What it takes to build environment {environment} elsewhere.

        1. A K3s cluster, new or from a snapshot of etcd (docs/backups.md, "The cluster itself"), and its kubeconfig: put its path into deploy.yaml as environments.{environment}.cluster.kubeconfig.
        2. The images of images.json: from their registry, or from a mirror with --registry=ADDRESS.
        3. The database: an empty one, then --target=Restore --environment={environment} --into=SECRET; backup.json says where backups are.
        4. --target=Deploy --environment={environment}, from this folder with the sources of the app beside it; or, with nothing but this archive,
           kubectl apply --server-side -f releases/NUMBER/manifests.json, which holds the Secrets as they were applied.
        5. --target=Harden --environment={environment}.

        """;
}
