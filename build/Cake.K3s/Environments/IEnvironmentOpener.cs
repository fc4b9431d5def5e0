using Cake.K3s.Settings;

namespace Cake.K3s.Environments;

/// <summary>Opens one kind of environment. The library brings the one for clusters with a kubeconfig; the sandbox brings its own.</summary>
public interface IEnvironmentOpener
{
    /// <summary>Whether this opener is for such an environment.</summary>
    bool CanOpen(EnvironmentSettings environment);

    /// <summary>Checks reachability and secrets and returns the connections; starts the sandbox where it is one.</summary>
    /// <exception cref="K3sException">Something is missing (exit code 5) or wrong in the settings (2).</exception>
    Task<DeployEnvironment> OpenAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken);
}
