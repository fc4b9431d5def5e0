namespace Cake.K3s.Nodes.Ssh;

/// <summary>Where one node is reached, and how its identity is known.</summary>
/// <param name="Host">Host name or address, or an alias from the SSH configuration.</param>
/// <param name="Port">The port; null for the configuration's.</param>
/// <param name="User">The user; null for the configuration's.</param>
/// <param name="HostKeyAlias">The name under which its host key is pinned, whatever its port.</param>
internal sealed record SshTarget(string Host, int? Port, string? User, string HostKeyAlias);
