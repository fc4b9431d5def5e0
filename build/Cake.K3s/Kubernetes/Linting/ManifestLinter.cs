using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Looks for known mistakes in the manifests and in the files around them.</summary>
public sealed class ManifestLinter
{
    private readonly PipelineRun _run;
    private readonly ManifestLoader _manifests;
    private readonly IReporter _reporter;

    /// <summary>Made by the composition root.</summary>
    public ManifestLinter(PipelineRun run, ManifestLoader manifests, IReporter reporter)
    {
        _run = run;
        _manifests = manifests;
        _reporter = reporter;
    }

    /// <summary>Reports every finding and writes them to <c>artifacts/lint.sarif</c>.</summary>
    /// <exception cref="K3sException">One of them is an error (exit code 1).</exception>
    public async Task LintAsync()
    {
        var inputs = ManifestInputs.ForCheck(_run.Settings, _run.EnvironmentSettings);
        var set = await _manifests.LoadAsync(inputs, _run.Cancellation);
        var findings = Check(_run.Settings, set, inputs.Namespace);
        var file = Path.Combine(_run.Options.ArtifactsDirectory, "lint.sarif");
        Directory.CreateDirectory(_run.Options.ArtifactsDirectory);
        await File.WriteAllTextAsync(file, Sarif.Write(findings), _run.Cancellation);

        foreach (var finding in findings)
        {
            _reporter.Warning("lint", finding.ToString());
        }

        var errors = findings.Where(finding => finding.Rule.Severity == LintSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            var steps = errors.Select(finding => finding.Rule.Hint).Distinct(StringComparer.Ordinal);
            throw new K3sException(
                ExitCodes.Failed,
                $"{errors.Count} mistake{(errors.Count == 1 ? "" : "s")} in the manifests or the files around them",
                $"{string.Join(" ", steps)} To keep one as it is, annotate its object with {LintSuppression.Annotation}: \"{errors[0].Rule.Id} -- reason\"",
                [.. errors.Select(finding => finding.ToString())]);
        }

        _reporter.Step("lint", $"{set.Objects.Length} manifests, {findings.Count} warning{(findings.Count == 1 ? "" : "s")}");
    }

    /// <summary>All findings, in the order of their places.</summary>
    internal static List<LintFinding> Check(DeploySettings settings, ManifestSet set, string namespaceName)
    {
        var manifests = set.Migration is null ? set.Objects : set.Objects.Add(set.Migration);
        var subject = new LintSubject(manifests, namespaceName);

        // The other rules would only find what follows from it: a Service of a Deploymnt selects nothing.
        List<LintFinding> unknown = [.. LintSuppression.Apply(KindRules.Check(subject), manifests)];
        if (unknown.Count > 0)
        {
            return unknown;
        }

        var findings = AvailabilityRules.Check(subject)
            .Concat(TrafficRules.Check(subject))
            .Concat(PodRules.Check(subject))
            .Concat(RepositoryRules.Check(settings, manifests));
        return [.. LintSuppression.Apply(findings, manifests)
            .OrderBy(finding => finding.Place.File, StringComparer.Ordinal)
            .ThenBy(finding => finding.Place.Line)
            .ThenBy(finding => finding.Rule.Id, StringComparer.Ordinal)];
    }
}
