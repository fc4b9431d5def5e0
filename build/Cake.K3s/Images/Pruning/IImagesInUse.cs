using Cake.K3s.Environments;

namespace Cake.K3s.Images.Pruning;

/// <summary>Knows which images an environment runs, or could roll back to.</summary>
internal interface IImagesInUse
{
    /// <summary>The images in use.</summary>
    /// <returns>By digest, what uses it, e.g. <c>production runs it</c>.</returns>
    /// <exception cref="K3sException">It cannot be told; then nothing may be deleted.</exception>
    Task<IReadOnlyDictionary<Digest, string>> ReadAsync(DeployEnvironment environment, CancellationToken cancellationToken);
}
