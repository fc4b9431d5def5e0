using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Diagnosis;

/// <summary>Reads the manifests as a deploy would, with no digest and no secret known yet.</summary>
internal sealed class ManifestCheckup(ManifestLoader manifests) : ICheckup
{
    public async Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        var inputs = ManifestInputs.ForCheck(settings, environment);
        var set = await manifests.LoadAsync(inputs, cancellationToken);
        return [Observation.Good("manifests", $"{set.Objects.Length} objects in {string.Join(", ", inputs.Paths)}")];
    }
}
