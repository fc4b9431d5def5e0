using System.Collections.Immutable;
using System.Globalization;

namespace Cake.K3s.Nodes.Ssh;

/// <summary>Arguments of the OpenSSH client. Runs nothing.</summary>
internal static class SshArguments
{
    /// <summary>What the script's first line prints: without it the script never began, and it is safe to try again.</summary>
    public const string Began = "@@cake-k3s";

    // The login shell may be any; sudo drops SSH_CONNECTION, so it goes along as arguments. Root needs no sudo.
    private const string RootShell = """exec sh -c 'if [ "$(id -u)" = 0 ]; then exec sh -s -- $SSH_CONNECTION; else exec sudo -n sh -s -- $SSH_CONNECTION; fi'""";

    // Persistent connections end by themselves this long after the last use.
    private const string Persist = "60";

    /// <summary>A shell as root that reads a script from standard input; its arguments are those of SSH_CONNECTION.</summary>
    /// <param name="target">The node.</param>
    /// <param name="files">The client's files.</param>
    /// <param name="login">Whether the persistent connection may be used, or a new login is made.</param>
    /// <param name="settings">Settings that come before all others.</param>
    public static ImmutableArray<string> Shell(SshTarget target, SshFiles files, SshLogin login, params ImmutableArray<string> settings) =>
        [.. settings.SelectMany(setting => new[] { "-o", setting }), .. Options(target, files, login), "--", target.Host, RootShell];

    private static IEnumerable<string> Options(SshTarget target, SshFiles files, SshLogin login)
    {
        if (files.Config is { } config)
        {
            yield return "-F";
            yield return config;
        }

        yield return "-T";
        if (target.Port is { } port)
        {
            yield return "-p";
            yield return port.ToString(CultureInfo.InvariantCulture);
        }

        if (target.User is { } user)
        {
            yield return "-l";
            yield return user;
        }

        foreach (var option in Settings(target, files, login))
        {
            yield return "-o";
            yield return option;
        }
    }

    private static IEnumerable<string> Settings(SshTarget target, SshFiles files, SshLogin login)
    {
        yield return "BatchMode=yes";
        yield return "ConnectTimeout=10";
        yield return "ServerAliveInterval=5";
        yield return "ServerAliveCountMax=3";

        // A proof must not be the login that pins a key.
        yield return login is SshLogin.New or SshLogin.Next ? "StrictHostKeyChecking=yes" : "StrictHostKeyChecking=accept-new";
        yield return $"UserKnownHostsFile=\"{files.KnownHosts}\" ~/.ssh/known_hosts";
        yield return $"HostKeyAlias={target.HostKeyAlias}";

        // What an operator's configuration may have for work at a terminal.
        yield return "ClearAllForwardings=yes";
        yield return "ForwardAgent=no";
        yield return "PermitLocalCommand=no";
        yield return "RemoteCommand=none";
        if (login is SshLogin.Persistent or SshLogin.Next && files.ControlDirectory is { } directory)
        {
            // "yes" never goes through a connection that is there.
            yield return login == SshLogin.Persistent ? "ControlMaster=auto" : "ControlMaster=yes";
            yield return $"ControlPath={directory}/cake-k3s-%C";
            yield return $"ControlPersist={Persist}";
        }
        else
        {
            yield return "ControlMaster=no";
            yield return "ControlPath=none";
        }
    }
}

/// <summary>How a connection is made.</summary>
internal enum SshLogin
{
    /// <summary>Through the persistent connection, which is opened where there is none.</summary>
    Persistent,

    /// <summary>A connection of its own.</summary>
    Separate,

    /// <summary>A login of its own, which proves that logins work: it pins no host key.</summary>
    New,

    /// <summary>The same, which becomes the persistent connection where there is none at that port yet.</summary>
    Next,
}
