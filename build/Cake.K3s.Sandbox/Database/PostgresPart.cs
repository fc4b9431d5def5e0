using System.Globalization;
using System.Security.Cryptography;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Npgsql;

namespace Cake.K3s.Sandbox.Database;

/// <summary>The Postgres outside the cluster: on 127.0.0.1 for this machine, on the bridge for pods.</summary>
internal sealed class PostgresPart(
    SandboxDirectory directory,
    int port,
    EngineConnection engine,
    IToolbox tools,
    ICommandRunner runner) : ISandboxPart
{
    // The app's role owns its database and is no superuser, so that a migration cannot rely on what Neon would refuse.
    private const string App = "app";
    private const string Superuser = "postgres";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly DetachedProgram _program = Program(directory);
    private string _version = "";

    public string Name => "postgres";

    /// <summary>The app's database, as pods reach it.</summary>
    public Secret Url => new(string.Create(
        CultureInfo.InvariantCulture,
        $"postgres://{App}:{Password(App)}@{engine.Gateway}:{port}/{App}?sslmode=disable"));

    public static DetachedProgram Program(SandboxDirectory directory) =>
        new("postgres", ["postgres"], directory.DatabaseData, directory.LogOf("postgres"));

    public bool IsRunning() => _program.Find() is not null;

    public async Task<PartStatus> CheckAsync(CancellationToken cancellationToken)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}, {engine.Gateway}:{port}");
        return new(Name, await ProblemAsync(cancellationToken), _version, address, _program.Find()?.Id);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var tool = await tools.RequireAsync(ToolName.Postgres, "the sandbox", cancellationToken);
        _version = tool.Source;
        var configuration = Path.Combine(directory.Root, "postgres", "postgresql.conf");
        if (!IsRunning())
        {
            await RemoveLeftoversAsync(cancellationToken);
            await InitializeAsync(tool, cancellationToken);
            var hba = Path.Combine(directory.Root, "postgres", "pg_hba.conf");
            PrivateFiles.Write(hba, PostgresConfiguration.HostBasedAuthentication(engine.Subnet));
            PrivateFiles.Write(configuration, PostgresConfiguration.Server(engine.Gateway, port, hba));
        }

        var command = Unprivileged(tool, tool.Path, "-D", directory.DatabaseData, "--config-file=" + configuration);
        await _program.StartAsync(runner, command, ProblemAsync, StartLimit, cancellationToken);
        await EnsureAppAsync(cancellationToken);
    }

    // A killed server leaves its lock file, and refuses to start as long as its process id is taken: by a zombie that nobody
    // reaps in a container, or by another program after a reboot. Its children may live a moment longer than it.
    private async Task RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        foreach (var child in ProcessTable.WithWorkingDirectory(directory.DatabaseData).ToList())
        {
            await ProcessTable.EndAsync(child, Signal.Kill, TimeSpan.FromSeconds(5), cancellationToken);
        }

        var lockFile = Path.Combine(directory.DatabaseData, "postmaster.pid");
        if (File.Exists(lockFile))
        {
            File.Delete(lockFile);
        }
    }

    private async Task InitializeAsync(Tool tool, CancellationToken cancellationToken)
    {
        if (Directory.Exists(directory.DatabaseData))
        {
            return;
        }

        // Made beside and moved when whole: an initdb that was killed is not taken for a database.
        var fresh = directory.DatabaseData + ".fresh";
        if (Directory.Exists(fresh))
        {
            Directory.Delete(fresh, recursive: true);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(fresh)!);
        await runner.RunAsync(
            new Command("install", ["-d", "-m", "700", .. Owner() is { } owner ? (string[])["-o", owner] : [], fresh]),
            cancellationToken);
        Password(Superuser);
        var initdb = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(tool.Path))!, "initdb");
        var command = Unprivileged(
            tool,
            initdb,
            ["-D", fresh, "-U", Superuser, "--auth=scram-sha-256", "--pwfile=" + PasswordFile(Superuser), "--encoding=UTF8", "--locale=C", "--no-sync"]);
        await runner.RunAsync(command with { Purpose = "make the sandbox's database", Timeout = TimeSpan.FromMinutes(2) }, cancellationToken);
        Directory.Move(fresh, directory.DatabaseData);
    }

    // Postgres refuses root. An ambient CAP_DAC_READ_SEARCH lets it reach its files below directories that root alone may
    // enter (/root); its own data stay its own. The secure bit is for initdb, which asks access(2) whether it finds postgres:
    // without it access(2) leaves a process that is not root's without its capabilities.
    private static Command Unprivileged(Tool tool, string program, params string[] arguments) => Owner() is { } owner
        ? new Command(
            "setpriv",
            [
                "--securebits=+no_setuid_fixup", "--reuid=" + owner, "--regid=" + owner, "--clear-groups", "--no-new-privs",
                "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
                program, .. arguments,
            ])
        {
            Environment = tool.Environment,
            WorkingDirectory = "/",
        }
        : new Command(program, arguments) { Environment = tool.Environment };

    // nobody: the one user without rights that every Linux has.
    private static string? Owner() => Environment.IsPrivilegedProcess ? "65534" : null;

    private async Task EnsureAppAsync(CancellationToken cancellationToken)
    {
        await using var source = DataSource();
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (!await ExistsAsync(connection, "SELECT 1 FROM pg_roles WHERE rolname = $1", cancellationToken))
        {
            // No parameters in utility statements; the password is hexadecimal.
            await ExecuteAsync(connection, $"CREATE ROLE {App} LOGIN CREATEDB PASSWORD '{Password(App)}'", cancellationToken);
        }

        if (!await ExistsAsync(connection, "SELECT 1 FROM pg_database WHERE datname = $1", cancellationToken))
        {
            await ExecuteAsync(connection, $"CREATE DATABASE {App} OWNER {App}", cancellationToken);
        }
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection) { Parameters = { new() { Value = App } } };
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var source = DataSource();
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return null;
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            return exception.Message;
        }
    }

    private NpgsqlDataSource DataSource() => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = port,
        Username = Superuser,
        Password = Password(Superuser),
        Database = "postgres",
        Timeout = 5,
        CommandTimeout = 10,
        Pooling = false,
    });

    private string Password(string user) => PrivateFiles.ReadOrWrite(PasswordFile(user), () => RandomNumberGenerator.GetHexString(32, lowercase: true));

    private string PasswordFile(string user) => Path.Combine(directory.DatabasePasswords, user);
}
