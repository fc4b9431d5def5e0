using Npgsql;

namespace Honeydue.Api;

/// <summary>The database schema: the migrations that are embedded in this assembly, applied in the order of their numbers.</summary>
public sealed class Schema(NpgsqlDataSource database)
{
    // Any number will do, as long as nothing else in this database takes the same advisory lock.
    private const long MigrationLock = 7_236_001;

    private static readonly (int Version, string Name)[] Migrations = typeof(Schema).Assembly
        .GetManifestResourceNames()
        .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
        .Select(name => (int.Parse(name[..4]), name))
        .OrderBy(migration => migration.Item1)
        .ToArray();

    /// <summary>The version that this build of the app needs.</summary>
    public static int Wanted => Migrations[^1].Version;

    /// <summary>The version that the database has; 0 for an empty one.</summary>
    public async Task<int> CurrentAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await CurrentAsync(connection, cancellationToken);
    }

    /// <summary>Applies what is missing. Safe to run twice at once: the second waits for the first and finds nothing to do.</summary>
    /// <returns>The version that the database then has.</returns>
    public async Task<int> MigrateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({MigrationLock})", cancellationToken);
        await ExecuteAsync(
            connection,
            "CREATE TABLE IF NOT EXISTS schema_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
            cancellationToken);
        var current = await CurrentAsync(connection, cancellationToken);
        foreach (var (version, name) in Migrations.Where(migration => migration.Version > current))
        {
            Console.WriteLine($"applying {name}");
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, await TextOfAsync(name, cancellationToken), cancellationToken);
            await ExecuteAsync(connection, $"INSERT INTO schema_version (version) VALUES ({version})", cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        // The lock ends with the connection.
        return Math.Max(current, Wanted);
    }

    private static async Task<int> CurrentAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT to_regclass('schema_version') IS NOT NULL", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not true)
        {
            return 0;
        }

        await using var version = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM schema_version", connection);
        return (int)(await version.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<string> TextOfAsync(string name, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(typeof(Schema).Assembly.GetManifestResourceStream(name)!);
        return await reader.ReadToEndAsync(cancellationToken);
    }
}
