using System.Globalization;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Settings;
using Npgsql;

namespace Cake.K3s.Operations.Scaling;

/// <summary>Asks Postgres how many of its connections are in use.</summary>
internal static class DatabaseConnections
{
    private const int LimitSeconds = 10;

    /// <summary>The connections in use, in percent of those that it allows; this one is not counted.</summary>
    /// <param name="name">What the URL is called.</param>
    /// <param name="url">The database's URL.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="NpgsqlException">It does not answer.</exception>
    public static async Task<double> UsedPercentAsync(string name, Secret url, CancellationToken cancellationToken)
    {
        var variables = DatabaseAddress.ToVariables(name, url);
        var address = new NpgsqlConnectionStringBuilder
        {
            Host = variables["PGHOST"],
            Port = int.Parse(variables["PGPORT"], CultureInfo.InvariantCulture),
            Database = variables["PGDATABASE"],
            Username = variables.GetValueOrDefault("PGUSER"),
            Password = variables.GetValueOrDefault("PGPASSWORD"),
            SslMode = variables.GetValueOrDefault("PGSSLMODE") is { } mode ? Enum.Parse<SslMode>(mode.Replace("-", ""), ignoreCase: true) : SslMode.Prefer,
            Timeout = LimitSeconds,
            CommandTimeout = LimitSeconds,
            Pooling = false,
        };
        await using var connection = new NpgsqlConnection(address.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "select 100.0 * count(*) filter (where backend_type = 'client backend' and pid <> pg_backend_pid()) / current_setting('max_connections')::float8 from pg_stat_activity", connection);
        return Convert.ToDouble(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
    }
}
