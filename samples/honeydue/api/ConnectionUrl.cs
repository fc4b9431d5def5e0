using Npgsql;

namespace Honeydue.Api;

/// <summary>Reads a <c>postgres://user:password@host:port/database?sslmode=require</c> URL, the form that Neon hands out.</summary>
public static class ConnectionUrl
{
    /// <summary>The same address as a connection string for Npgsql.</summary>
    public static string ToConnectionString(string url)
    {
        var uri = new Uri(url);
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')),
            Username = Uri.UnescapeDataString(user[0]),
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
            Timeout = 5,
            CommandTimeout = 30,
            MaxPoolSize = 10,

            // Kerberos is not used, and small images do not carry its library.
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        if (uri.Query.Contains("sslmode=require", StringComparison.OrdinalIgnoreCase))
        {
            builder.SslMode = SslMode.Require;
        }

        return builder.ConnectionString;
    }
}
