using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Backups;

/// <summary>Where a database is, as libpq's programs want it told.</summary>
internal static class DatabaseAddress
{
    /// <summary>
    /// The variables of libpq (PostgreSQL documentation, 34.15) for a URL: so that no password is in an argument list.
    /// </summary>
    /// <param name="name">What the URL is called, for the error.</param>
    /// <param name="url"><c>postgres://user:password@host:port/database?sslmode=require</c>.</param>
    /// <exception cref="K3sException">It is no such URL (exit code 2).</exception>
    public static ImmutableSortedDictionary<string, string> ToVariables(string name, Secret url)
    {
        if (!Uri.TryCreate(url.Reveal(), UriKind.Absolute, out var address)
            || address.Scheme is not ("postgres" or "postgresql")
            || address.Host.Length == 0
            || address.AbsolutePath.Trim('/').Length == 0)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"the value of {name} is not the URL of a database",
                "It looks like postgres://user:password@host:port/database.");
        }

        var user = address.UserInfo.Split(':', 2);
        var variables = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        variables["PGHOST"] = address.Host.Trim('[', ']');
        variables["PGPORT"] = (address.Port < 0 ? 5432 : address.Port).ToString(CultureInfo.InvariantCulture);
        variables["PGDATABASE"] = Uri.UnescapeDataString(address.AbsolutePath.Trim('/'));
        if (user[0].Length > 0)
        {
            variables["PGUSER"] = Uri.UnescapeDataString(user[0]);
        }

        if (user.Length > 1)
        {
            variables["PGPASSWORD"] = Uri.UnescapeDataString(user[1]);
        }

        foreach (var parameter in address.Query.TrimStart('?').Split('&').Select(pair => pair.Split('=', 2)))
        {
            if (parameter is ["sslmode", var mode])
            {
                variables["PGSSLMODE"] = mode;
            }
        }

        return variables.ToImmutable();
    }
}
