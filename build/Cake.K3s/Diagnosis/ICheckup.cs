using Cake.K3s.Settings;

namespace Cake.K3s.Diagnosis;

/// <summary>Looks at one part of what a deploy needs. It changes nothing, fetches nothing and starts nothing that stays.</summary>
internal interface ICheckup
{
    /// <summary>Looks.</summary>
    /// <param name="settings">deploy.yaml.</param>
    /// <param name="environment">The chosen environment.</param>
    /// <param name="cancellationToken">Cancels.</param>
    Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken);
}
