using System.Globalization;
using System.Net;

namespace Cake.K3s.Sandbox.Database;

/// <summary>Postgres' configuration files.</summary>
internal static class PostgresConfiguration
{
    /// <summary>postgresql.conf.</summary>
    public static string Server(IPAddress gateway, int port, string hbaFile) => string.Create(CultureInfo.InvariantCulture, $"""
        listen_addresses = '127.0.0.1,{gateway}'
        port = {port}
        unix_socket_directories = ''
        hba_file = '{hbaFile.Replace("'", "''")}'
        password_encryption = 'scram-sha-256'
        max_connections = 200
        shared_buffers = '64MB'
        # A rehearsal may lose its last commits with the machine's power, never its consistency.
        synchronous_commit = off
        jit = off
        logging_collector = off

        """);

    /// <summary>pg_hba.conf: passwords always, from this machine and from pods alone.</summary>
    /// <param name="pods">The pods' addresses.</param>
    public static string HostBasedAuthentication(IPNetwork pods) => $"""
        host all all samehost scram-sha-256
        host all all {pods} scram-sha-256

        """;
}
