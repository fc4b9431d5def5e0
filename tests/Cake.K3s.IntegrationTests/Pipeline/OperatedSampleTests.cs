using System.Formats.Tar;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.IntegrationTests.Kubernetes.Backups;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Database;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Pipeline;

/// <summary>
/// The sample as somebody operates it: every control of the cluster that the sandbox has a part for, a second database server, an export. The
/// bucket is a stand-in; Vault with its operator, and charts, have tests of their own.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class OperatedSampleTests
{
    private static readonly string[] Controls = ["Backups", "MigrationJob", "NetworkPolicies", "RedisPassword", "SignedImages", "TraefikMiddleware"];

    // What a control may touch; pods come and go.
    private static readonly GroupVersionKind[] Kinds =
    [
        new("", "v1", "Secret"), new("", "v1", "ConfigMap"), new("apps", "v1", "Deployment"), new("batch", "v1", "CronJob"),
        new("networking.k8s.io", "v1", "NetworkPolicy"), new("networking.k8s.io", "v1", "Ingress"), new("traefik.io", "v1alpha1", "Middleware"),
        new("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy"), new("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding"),
    ];

    private SampleApp _app = null!;
    private ClusterConnector _connector = null!;
    private ClusterApi _api = null!;
    private StandInBucket _bucket = null!;
    private Uri _database = null!;

    [OneTimeSetUp]
    public async Task DeploySample()
    {
        _app = await SampleApp.DeployedAsync();
        _connector = new(new RecordingReporter(), TimeProvider.System);
        _api = await _connector.OpenAsync(new(Path.Combine(_app.Root, ".sandbox", "kubeconfig"), null, "honeydue"), default);
        _database = new(await DatabaseUrlAsync());
        _bucket = await StandInBucket.StartAsync(IPAddress.Parse(_database.Host));
        foreach (var folder in (string[])["network-policies", "traefik"])
        {
            _app.Copy("manifests/hardening/" + folder);
        }

        StandInBucket.WriteKeys(_app.Root);
        _app.Write("new-url", "none yet");
        _app.Replace("deploy.yaml", "      DATABASE_URL: {sandbox: postgres}\n    hardening:\n", $$"""
                  DATABASE_URL: {sandbox: postgres}
                  NEW_URL: {file: new-url}
            {{_bucket.Yaml("sandbox://backup")}}    hardening:

            """);
    }

    [OneTimeTearDown]
    public async Task RemoveSample()
    {
        await (_bucket?.DisposeAsync() ?? default);
        _connector?.Dispose();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    [Test]
    [Order(1)]
    public async Task Should_Serve_Hardened_And_Be_As_Before_When_All_Is_Undone()
    {
        var before = await StateAsync();

        await SucceedAsync("--target=Harden");
        Assert.That(await _app.StatusAsync(), Is.EqualTo(200), "hardened");
        Assert.That(await SucceedAsync("--target=Harden"), Does.Contain("all controls are in place, nothing changed"));

        await SucceedAsync("--target=Audit");
        var findings = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_app.Root, "artifacts", "audit", "sandbox.json")))!["findings"]!.AsArray()
            .Select(finding => (Control: finding!["control"]!.ToString(), State: finding["state"]!.ToString(), Text: finding.ToJsonString())).ToList();
        foreach (var control in Controls)
        {
            var own = findings.Where(finding => finding.Control == control).ToList();
            Assert.That(own, Is.Not.Empty, control);
            Assert.That(own.Where(finding => finding.State != "inPlace"), Is.Empty, control);
        }

        // With everything denied by default, and images wanted that are pinned and the registry's own.
        await SucceedAsync("--target=Backup");
        await SucceedAsync("--target=RestoreDrill");
        await SucceedAsync("--target=Deploy");
        Assert.That(await SucceedAsync("--target=Harden"), Does.Contain("all controls are in place, nothing changed"), "a deploy takes nothing away");

        foreach (var control in Controls.Where(control => control != "MigrationJob").Reverse())
        {
            await SucceedAsync("--target=Undo-" + control);
        }

        Assert.That(await StateAsync(), Is.EqualTo(before));
        Assert.That(await _app.StatusAsync(), Is.EqualTo(200), "undone");
    }

    [Test]
    [Order(2)]
    public async Task Should_Hold_All_That_A_Cluster_Elsewhere_Needs_When_Exported()
    {
        var file = Path.Combine(_app.Root, "export.tar.age");

        await SucceedAsync("--target=Export", "--out=" + file);

        var sealedText = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
        Assert.That(sealedText, Does.StartWith("age-encryption.org/v1").And.Not.Contain("honeydue"));
        var files = await OpenAsync(file);
        var release = files.Keys.Where(name => name.EndsWith("/manifests.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Last();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(files.Keys, Is.SupersetOf((string[])["README.md", "deploy.yaml", "images.json", "backup.json", "manifests/app/api.yaml", "manifests/hardening/network-policies/egress.yaml", "manifests/hardening/traefik/middlewares.yaml"]));
            Assert.That(files["images.json"], Does.Match("\"api\": \".*@sha256:[0-9a-f]{64}\""));
            Assert.That(files["backup.json"], Does.Contain($"\"newest\": \"{_bucket.Objects.Keys.Order(StringComparer.Ordinal).Last()}\""));
            Assert.That(files[release], Does.Contain(_database.UserInfo), "Secrets, for a cluster that has none");
            Assert.That(string.Concat(files.Values), Does.Not.Contain(BackupKeys.Identity).And.Not.Contain(StandInBucket.KeyOf(StandInBucket.Operator)), "what opens the backups");
        }
    }

    [Test]
    [Order(3)]
    public async Task Should_Serve_From_Another_Server_When_The_Database_Is_Gone_And_Every_Step_Was_Killed_Once()
    {
        await PostAsync("water the plants");
        await SucceedAsync("--target=Harden-Backups");
        using var directory = new TemporaryDirectory();
        var sandbox = new SandboxDirectory(directory.Path);
        var second = new PostgresPart(
            sandbox, PortOfNobody(), new("", IPAddress.Parse(_database.Host), IPNetwork.Parse("0.0.0.0/0"), true, ""), ExternalTools.Toolbox, ExternalTools.Commands);
        try
        {
            await second.StartAsync(default);
            _app.Write("new-url", second.Url.Reveal());

            Assert.That(await _app.KillAtAsync(new Regex("Restore$"), "--target=Restore", "--into=NEW_URL"), Is.True);
            await SucceedAsync("--target=Restore", "--into=NEW_URL");

            Assert.That(await _app.KillAtAsync(new Regex("is the new address"), "--target=SwitchDatabase", "--into=NEW_URL"), Is.True);
            Assert.That(await DatabaseUrlAsync(), Is.EqualTo(second.Url.Reveal()), "killed between the Secret and the workloads");
            await SucceedAsync("--target=SwitchDatabase", "--into=NEW_URL");
            await RefuseAsync(_database);

            Assert.That(await _app.StatusAsync(), Is.EqualTo(200));
            Assert.That(await _app.AskAsync(HttpMethod.Get, "/api/tasks"), Does.Contain("water the plants"));
            await PostAsync("written to the second");
            Assert.That(await SucceedAsync("--target=SwitchDatabase", "--into=NEW_URL"), Does.Not.Contain("starts anew"), "done already");
        }
        finally
        {
            await PostgresPart.Program(sandbox).StopAsync(Signal.Interrupt, TimeSpan.FromSeconds(30), default);
        }
    }

    private async Task<string> SucceedAsync(params string[] arguments)
    {
        var run = await _app.RunAsync(arguments);
        Assert.That(run.ExitCode, Is.Zero, run.Output);
        return run.Output;
    }

    private async Task PostAsync(string title) =>
        Assert.That(await _app.AskAsync(HttpMethod.Post, "/api/tasks", $$"""{"title": "{{title}}"}"""), Does.Contain(title));

    private async Task<string> DatabaseUrlAsync() =>
        Encoding.UTF8.GetString(Convert.FromBase64String((await _api.GetAsync(new(new("", "v1", "Secret"), "honeydue", "database"), default)).Text("data", "DATABASE_URL")!));

    // Nobody connects to it any more, and who is connected is cut off.
    private static async Task RefuseAsync(Uri database)
    {
        var user = database.UserInfo.Split(':');
        await using var source = Npgsql.NpgsqlDataSource.Create(
            $"Host={database.Host};Port={database.Port};Username={user[0]};Password={user[1]};Database=postgres;Pooling=false");
        await using var command = source.CreateCommand($"ALTER DATABASE {database.AbsolutePath.Trim('/')} RENAME TO gone");
        await using var end = source.CreateCommand($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.AbsolutePath.Trim('/')}'");
        await end.ExecuteNonQueryAsync();
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>What a person sees of all that the controls may touch.</summary>
    private async Task<string> StateAsync()
    {
        var state = new StringBuilder();
        foreach (var kind in Kinds)
        {
            foreach (var item in (await _api.ListAsync(kind, kind.Group == "admissionregistration.k8s.io" ? null : _api.Namespace, null, default)).Items.OrderBy(item => item.ObjectName(), StringComparer.Ordinal))
            {
                if (item.Text("type") is "cake.k3s/release" || Regex.IsMatch(item.ObjectName()!, "journal|release"))
                {
                    continue;
                }

                var annotations = item.At("metadata", "annotations")?.DeepClone().AsObject();
                annotations?.Remove("deployment.kubernetes.io/revision");
                state.AppendLine($"{kind.Kind}/{item.ObjectName()} {annotations?.ToJsonString()} {item["spec"]?.ToJsonString()} {item["data"]?.ToJsonString()}");
            }
        }

        return state.ToString();
    }

    private static async Task<Dictionary<string, string>> OpenAsync(string file)
    {
        var age = await ExternalTools.RequireAsync(ToolName.Age);
        using var directory = new TemporaryDirectory();
        var (identity, tar) = (Path.Combine(directory.Path, "identity"), Path.Combine(directory.Path, "tar"));
        await File.WriteAllTextAsync(identity, BackupKeys.Identity);
        await ExternalTools.Commands.RunAsync(new Command(age.Path, "--decrypt", "-i", identity, "-o", tar, file) { Environment = age.Environment }, default);
        await using var bytes = File.OpenRead(tar);
        await using var reader = new TarReader(bytes);
        var files = new Dictionary<string, string>();
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            using var text = new StreamReader(entry.DataStream ?? Stream.Null);
            files[entry.Name] = await text.ReadToEndAsync();
        }

        return files;
    }

    private static int PortOfNobody()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
