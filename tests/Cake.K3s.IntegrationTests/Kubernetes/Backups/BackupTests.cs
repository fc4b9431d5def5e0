using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.IntegrationTests.Pipeline;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;
using Npgsql;

namespace Cake.K3s.IntegrationTests.Kubernetes.Backups;

/// <summary>Backups by the compiled host: real Postgres, pg_dump, age and curl in real pods; the bucket is a stand-in.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
internal sealed class BackupTests
{
    private DirectoryInfo _root = null!;
    private StandInBucket _bucket = null!;
    private ClusterApi _api = null!;
    private string _database = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _api = await SharedSandbox.NamespaceAsync();
        _database = _api.Namespace.Replace('-', '_');
        await SqlAsync(SharedSandbox.Addresses.PostgresUrl, $"CREATE DATABASE {_database}");
        await SqlAsync(UrlOf(_database), """
            CREATE TABLE houses (id int PRIMARY KEY, name text);
            INSERT INTO houses SELECT n, 'house ' || n FROM generate_series(1, 1000) n;
            CREATE SCHEMA "Odd Names"; CREATE TABLE "Odd Names"."per|person" (x text); INSERT INTO "Odd Names"."per|person" VALUES ('a'), ('b');
            """);
        _bucket = await StandInBucket.StartAsync(IPAddress.Parse(new Uri(SharedSandbox.Addresses.PostgresUrl).Host));
        _root = Directory.CreateTempSubdirectory($"cake-k3s-backups-{Environment.ProcessId}-");
        await WriteSettingsAsync();
        var hardened = await RunAsync("--target=Harden-Backups");
        Assert.That(hardened.ExitCode, Is.Zero, hardened.Output);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_bucket is not null)
        {
            await _bucket.DisposeAsync();
        }

        if (_api is not null)
        {
            await SharedSandbox.RemoveAsync(_api);
            await SqlAsync(SharedSandbox.Addresses.PostgresUrl, $"DROP DATABASE IF EXISTS {_database} WITH (FORCE)");
            await SqlAsync(SharedSandbox.Addresses.PostgresUrl, $"DROP DATABASE IF EXISTS {_database}_empty WITH (FORCE)");
        }

        _root?.Delete(recursive: true);
    }

    [Test]
    [Order(1)]
    public async Task Should_Have_Proved_Itself_With_A_Backup_And_Change_Nothing_When_Hardened_Again()
    {
        var stored = _bucket.Objects.Count;

        var again = await RunAsync("--target=Harden-Backups");
        var audit = await RunAsync("--target=Audit", "--fail-on-drift");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(stored, Is.EqualTo(1));
            Assert.That(again.Output, Does.Contain("nothing to change"));
            Assert.That(audit.Output, Does.Match("Backups .*the newest backup is 0"));
        }
    }

    [Test]
    public void Should_Store_Nothing_Readable_When_It_Backs_Up()
    {
        var stored = _bucket.Objects.Values.First();

        Assert.That(System.Text.Encoding.Latin1.GetString(stored), Does.StartWith("age-encryption.org/v1").And.Not.Contain("house 1"));
    }

    [Test]
    public async Task Should_Get_Through_When_The_Bucket_Is_Busy_For_A_While()
    {
        _bucket.Faults = 2;

        var run = await RunAsync("--target=Backup");

        Assert.That(run.ExitCode, Is.Zero, run.Output);
    }

    [Test]
    public async Task Should_Compare_The_Rows_And_Leave_Nothing_Behind_When_It_Drills()
    {
        // As a drill leaves it whose pod was killed.
        await SqlAsync(UrlOf(_database), "CREATE DATABASE cake_k3s_drill_20200101000000");

        var run = await RunAsync("--target=RestoreDrill");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.ExitCode, Is.Zero, run.Output);
            Assert.That(run.Output, Does.Match("2 tables, 1002 rows, all as at the time of the backup"));
            Assert.That(run.Output, Does.Match(@"the drill took \d+ s; the backup is \d+ minutes old"));
            Assert.That(await SqlAsync(SharedSandbox.Addresses.PostgresUrl, "SELECT count(*) FROM pg_database WHERE datname LIKE 'cake_k3s_drill%'"), Is.Zero);
            Assert.That(await NamesAsync("Secret"), Has.None.Match("-[0-9]{14}$"), "the identity stayed in the cluster");
        }
    }

    [Test]
    public async Task Should_Fill_An_Empty_Database_Change_Nothing_The_Second_Time_And_Refuse_Other_Rows_When_It_Restores()
    {
        await SqlAsync(SharedSandbox.Addresses.PostgresUrl, $"CREATE DATABASE {_database}_empty");

        var run = await RunAsync("--target=Restore", "--into=EMPTY_URL");
        var rows = await SqlAsync(UrlOf(_database + "_empty"), "SELECT count(*) FROM houses");
        var again = await RunAsync("--target=Restore", "--into=EMPTY_URL");
        await SqlAsync(UrlOf(_database + "_empty"), "DELETE FROM houses WHERE id = 1");
        var other = await RunAsync("--target=Restore", "--into=EMPTY_URL");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.ExitCode, Is.Zero, run.Output);
            Assert.That(rows, Is.EqualTo(1000));
            Assert.That(again.ExitCode, Is.Zero, again.Output);
            Assert.That(again.Output, Does.Match("holds the 2 tables of .* already, with as many rows; nothing was changed"));
            Assert.That(other.ExitCode, Is.EqualTo(ExitCodes.Failed));
            Assert.That(other.Output, Does.Contain("is not empty: it has 2 tables; nothing was changed"));
        }
    }

    [Test]
    public async Task Should_Say_So_When_A_Stored_Backup_Was_Changed()
    {
        var name = $"shop/{DateTime.UtcNow.AddYears(-1):yyyyMMdd'T'HHmmss'Z'}.tar.age";
        var spoiled = _bucket.Objects.Values.First().ToArray();
        spoiled[^20] ^= 1;
        _bucket.Objects[name] = spoiled;
        var (old, older) = ($"shop/etcd/n1/{DateTime.UtcNow.AddYears(-1):yyyyMMdd'T'HHmmss'Z'}.tar.age", $"shop/etcd/n1/{DateTime.UtcNow.AddYears(-2):yyyyMMdd'T'HHmmss'Z'}.tar.age");
        (_bucket.Objects[old], _bucket.Objects[older]) = (spoiled, spoiled);

        var drill = await RunAsync("--target=RestoreDrill", "--backup=" + name);
        var prune = await RunAsync("--target=PruneBackups", "--confirm");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(drill.ExitCode, Is.EqualTo(ExitCodes.Failed), drill.Output);
            Assert.That(drill.Output, Does.Contain("age: error"));
            Assert.That(prune.Output, Does.Contain("deleted " + name));
            Assert.That(_bucket.Objects.Keys, Has.None.EqualTo(name).And.None.EqualTo(older).And.Some.EqualTo(old), "the newest of each server stays");
        }
    }

    [Test]
    public async Task Should_Say_So_When_The_Restored_Rows_Are_Not_Those_Of_The_Backup()
    {
        var name = $"shop/{DateTime.UtcNow.AddMonths(-1):yyyyMMdd'T'HHmmss'Z'}.tar.age";
        var age = await ExternalTools.RequireAsync(ToolName.Age);
        using var scratch = new TemporaryDirectory();
        await File.WriteAllBytesAsync(scratch.File("sealed"), _bucket.Objects.First(item => item.Key.StartsWith("shop/2", StringComparison.Ordinal)).Value);
        await AgeAsync("--decrypt", "--identity", Path.Combine(_root.FullName, "identity"), "--output", scratch.File("tar"), scratch.File("sealed"));
        System.Formats.Tar.TarFile.ExtractToDirectory(scratch.File("tar"), Directory.CreateDirectory(scratch.File("in")).FullName, overwriteFiles: false);
        var rows = Path.Combine(scratch.File("in"), "rows");
        await File.WriteAllTextAsync(rows, (await File.ReadAllTextAsync(rows)).Replace("1000", "1001", StringComparison.Ordinal));
        System.Formats.Tar.TarFile.CreateFromDirectory(scratch.File("in"), scratch.File("lying"), includeBaseDirectory: false);
        await AgeAsync("--encrypt", "--recipient", BackupKeys.Recipient, "--output", scratch.File("lying.age"), scratch.File("lying"));
        _bucket.Objects[name] = await File.ReadAllBytesAsync(scratch.File("lying.age"));

        var drill = await RunAsync("--target=RestoreDrill", "--backup=" + name);

        _bucket.Objects.TryRemove(name, out _);
        Assert.That(drill.ExitCode, Is.EqualTo(ExitCodes.Failed), drill.Output);
        Assert.That(drill.Output, Does.Contain("the restored rows (second column above) are not those of the backup"));

        Task AgeAsync(params string[] arguments) => ExternalTools.Commands.RunAsync(new Command(age.Path, arguments) { Environment = age.Environment }, default);
    }

    [TestCase("identity: {file: identity}", "identity: {file: other-identity}", "RestoreDrill", "cannot decrypt shop/.*: see that backup.identity belongs to")]
    [TestCase("identity: {file: identity}", "identity: {file: none}", "RestoreDrill", "backup.identity cannot be read: .*/none.*Next: Put it there")]
    [TestCase("bucket: backups", "bucket: gone", "RestoreDrill", "cannot list the bucket gone at http.*NoSuchBucket.*Next: Check backup.storage")]
    [TestCase("EMPTY_URL: {file: empty}", "EMPTY_URL: {file: refusing}", "Restore", "cannot use database nobody at 127.0.0.1:1: see that its secret has its address")]
    public async Task Should_Say_What_To_Mend_In_The_Line_Of_The_Error(string good, string wrong, string target, string error)
    {
        var file = Path.Combine(_root.FullName, "deploy.yaml");
        var settings = await File.ReadAllTextAsync(file);
        Write("other-identity", "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX");
        Write("refusing", "postgres://ann:one@127.0.0.1:1/nobody");
        Assert.That(settings, Does.Contain(good));
        try
        {
            Write("deploy.yaml", settings.Replace(good, wrong, StringComparison.Ordinal));
            var run = await RunAsync("--target=" + target, "--into=EMPTY_URL");
            Assert.That(run.ExitCode, Is.Not.Zero);
            Assert.That(run.Output, Does.Match("(?s)\nError: [^\n]*" + error));
        }
        finally
        {
            Write("deploy.yaml", settings);
        }
    }

    private async Task<IEnumerable<string?>> NamesAsync(string kind) =>
        (await _api.ListAsync(new("", "v1", kind), _api.Namespace, new(), default)).Items.Select(item => (string?)item["metadata"]!["name"]);

    private async Task<FinishedRun> RunAsync(params string[] arguments)
    {
        using var host = RunningHost.Start(_root.FullName, arguments);
        return await host.EndAsync();
    }

    private async Task WriteSettingsAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write("cosign.key", "nothing is signed");
        Write("cosign.pub", key.ExportSubjectPublicKeyInfoPem());
        Write("database", UrlOf(_database));
        Write("empty", UrlOf(_database + "_empty"));
        StandInBucket.WriteKeys(_root.FullName);
        Write("deploy.yaml", $$"""
            app: shop
            images: {}
            manifests: [manifests]
            defaultEnvironment: test
            signing: {privateKey: cosign.key}
            environments:
              test:
                cluster: {kubeconfig: {{SharedSandbox.Addresses.Kubeconfig}}}
                registry: {address: {{SharedSandbox.Addresses.Registry}}/own, insecure: true}
                namespace: {{_api.Namespace}}
                secrets:
                  DATABASE_URL: {file: database}
                  EMPTY_URL: {file: empty}

            """ + _bucket.Yaml(await SharedSandbox.BaseImageAsync("backup")));
        Directory.CreateSymbolicLink(Path.Combine(_root.FullName, ".tools"), Path.Combine(TestSandbox.RepositoryRoot, ".tools"));
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_root.FullName, file), text);

    private static string UrlOf(string database) => new UriBuilder(SharedSandbox.Addresses.PostgresUrl) { Path = database }.Uri.ToString();

    private static async Task<long?> SqlAsync(string url, string sql)
    {
        var address = new Uri(url);
        var user = address.UserInfo.Split(':');
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
        {
            Host = address.Host,
            Port = address.Port,
            Username = user[0],
            Password = user[1],
            Database = address.AbsolutePath.Trim('/'),
            Pooling = false,
        });
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync() as long?;
    }
}
