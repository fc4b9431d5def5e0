using System.Globalization;

namespace Cake.K3s.Hardening.Nodes;

/// <summary>Shell commands that bring packages to a node, and take them away. Run nothing.</summary>
internal static class AptPackages
{
    /// <summary>Installs packages. A machine that is new, or was not updated for long, has lists that name none, or old ones: then they are fetched.</summary>
    /// <param name="names">The packages, separated by spaces.</param>
    /// <param name="wait">How long another program may hold dpkg.</param>
    public static string Install(string names, TimeSpan wait)
    {
        var install = Command(wait, $"install --no-install-recommends {names}");
        return $"{install} || {{ apt-get -qq update >&2; {install}; }}";
    }

    /// <summary>Takes a package away, with its settings.</summary>
    /// <param name="name">The package.</param>
    /// <param name="wait">How long another program may hold dpkg.</param>
    public static string Purge(string name, TimeSpan wait) => Command(wait, "purge " + name);

    private static string Command(TimeSpan wait, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout={wait.TotalSeconds:0} {what} >&2");
}
