using Cake.K3s.Kubernetes.Releases;

namespace Cake.K3s.Operations.Regions;

/// <summary>What is done in one region, which is an environment of deploy.yaml.</summary>
internal interface IRegionDeployer
{
    /// <summary>The newest release of an environment; null where there is none.</summary>
    Task<Release?> NewestAsync(string environment, CancellationToken cancellationToken);

    /// <summary>Migrates, deploys and verifies; does nothing where the same is verified there already.</summary>
    /// <param name="environment">The environment's name.</param>
    /// <param name="like">The release whose images it takes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">It failed; what was there before was put back where that was possible.</exception>
    Task DeployAsync(string environment, Release like, CancellationToken cancellationToken);
}
