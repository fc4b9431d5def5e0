namespace Cake.K3s.Nodes.Ssh;

/// <summary>The files that the OpenSSH client works with; all paths absolute.</summary>
/// <param name="Config">The configuration; null for the user's own and the system's.</param>
/// <param name="KnownHosts">Where host keys are pinned; read before the user's own known_hosts.</param>
/// <param name="ControlDirectory">The directory of the sockets of persistent connections; null for none.</param>
internal sealed record SshFiles(string? Config, string KnownHosts, string? ControlDirectory);
