using Cake.K3s.Kubernetes.Linting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>This repository's own manifests for hardening.</summary>
public sealed class HardeningManifestTests
{
    [Test]
    public async Task Should_pass_the_lint_together_with_the_app()
    {
        var root = TestContext.CurrentContext.TestDirectory[..TestContext.CurrentContext.TestDirectory.IndexOf("/tests/", StringComparison.Ordinal)];
        var settings = new SettingsReader().Read(Path.Combine(root, "deploy.yaml"));
        var inputs = ManifestInputs.ForCheck(settings, settings.EnvironmentNamed("sandbox"));
        inputs = inputs with { Paths = ["manifests/app", "manifests/hardening", "manifests/observability"], Secrets = inputs.Secrets.SetItem("ALERTS_SLACK_URL", null) };
        inputs = inputs with { Variables = inputs.Variables.SetItem("PROMETHEUS_URL", "http://prometheus:9090").SetItem("K3S_VERSION", "v1.34.6+k3s1") };

        var set = await ControlStage.Loader.LoadAsync(inputs, default);

        Assert.Multiple(() =>
        {
            Assert.That(set.Objects.Count(manifest => manifest.Place.File.Contains("hardening", StringComparison.Ordinal)), Is.GreaterThan(10));
            Assert.That(set.Objects.Count(manifest => manifest.Place.File.Contains("observability", StringComparison.Ordinal)), Is.GreaterThan(10));
            Assert.That(ManifestLinter.Check(settings, set, "honeydue").Select(finding => finding.ToString()), Is.Empty);
        });
    }
}
