namespace Cake.K3s.Nodes.Ssh;

/// <summary>Tells from what the OpenSSH client wrote why a script did not begin on a node.</summary>
internal static class SshFailure
{
    /// <summary>Whether another port or another attempt may help: the node was not reached at all.</summary>
    public static bool IsNetwork(string errors) => !IsHostKey(errors) && !IsLogin(errors) && !IsSudo(errors);

    /// <summary>The failure in words.</summary>
    public static NodeException Of(string node, SshTarget target, string knownHosts, string errors)
    {
        var at = target.Port is { } port ? $"{target.Host} port {port}" : target.Host;
        var lines = errors.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (IsHostKey(errors))
        {
            return new NodeException(
                node,
                $"node {node} ({at}) shows another host key than the one that is pinned; nothing was sent to it",
                $"Compare its key at the provider's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); if it was reinstalled: ssh-keygen -R '{target.HostKeyAlias}' -f {knownHosts}, and the same without -f.",
                lines);
        }

        if (IsSudo(errors))
        {
            return new NodeException(
                node,
                $"node {node} ({at}): the user may not become root without a password",
                "Log in as root, or let the user: echo 'USER ALL=(ALL) NOPASSWD: ALL' in a file below /etc/sudoers.d.",
                lines);
        }

        if (IsLogin(errors))
        {
            return new NodeException(
                node,
                $"node {node} ({at}) refuses the login",
                "Load the key into the agent (ssh-add) or name it in the SSH configuration (IdentityFile); only keys without a prompt work.",
                lines);
        }

        var reason = lines.LastOrDefault(line => line.StartsWith("ssh:", StringComparison.Ordinal) || line.Contains("onnect", StringComparison.Ordinal));
        return new NodeException(
            node,
            $"node {node} ({at}) cannot be reached{(reason is null ? "" : ": " + reason)}",
            $"Try: ssh {at.Replace(" port ", " -p ", StringComparison.Ordinal)}; another address is set as environments.ENVIRONMENT.nodes[].host, --nodes leaves a node out.",
            lines);
    }

    private static bool IsHostKey(string errors) =>
        errors.Contains("HOST IDENTIFICATION HAS CHANGED", StringComparison.Ordinal) || errors.Contains("Host key verification failed", StringComparison.Ordinal);

    private static bool IsLogin(string errors) =>
        errors.Contains("Permission denied", StringComparison.Ordinal) || errors.Contains("Too many authentication failures", StringComparison.Ordinal);

    private static bool IsSudo(string errors) => errors.Contains("sudo:", StringComparison.Ordinal);
}
