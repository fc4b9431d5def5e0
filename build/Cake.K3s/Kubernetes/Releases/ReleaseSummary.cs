using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Cosign;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>What a person needs after a deploy: addresses, image digests, and commands to check with.</summary>
internal sealed class ReleaseSummary(PipelineRun run, EnvironmentVariables variables, IToolbox tools, IReporter reporter)
{
    /// <summary>Reports it.</summary>
    public async Task WriteAsync(
        DeployEnvironment environment, Release release, ImmutableArray<Manifest> manifests, CancellationToken cancellationToken)
    {
        foreach (var host in Hosts(manifests))
        {
            reporter.Step("address", environment.AddressOf(host).ToString());
        }

        foreach (var (name, image) in release.Images)
        {
            reporter.Step("image", $"{name} = {image}");
        }

        var paths = Paths(manifests).ToList();
        foreach (var (host, path) in paths)
        {
            reporter.Step("check", $"curl -fsS {new Uri(environment.AddressOf(host), path)}");
        }

        var context = environment.Cluster.Context is { } name1 ? $" --context {name1}" : "";
        reporter.Step(
            "check",
            $"{await CommandAsync(ToolName.Kubectl, "kubectl", cancellationToken)} --kubeconfig {Short(environment.Cluster.Kubeconfig)}{context} -n {environment.Cluster.Namespace} get pods");
        var cosign = await CommandAsync(ToolName.Cosign, "cosign", cancellationToken);
        foreach (var image in release.Images.Values)
        {
            reporter.Step(
                "check",
                $"{cosign} {string.Join(' ', CosignArguments.Verify(Short(environment.SigningKey.PublicKey), image, environment.Registry.Insecure))}");
        }
    }

    /// <summary>The hosts of all Ingresses.</summary>
    internal static IEnumerable<string> Hosts(IEnumerable<Manifest> manifests) =>
        manifests.Where(manifest => manifest.Key.Type is { Group: "networking.k8s.io", Kind: "Ingress" })
            .SelectMany(manifest => manifest.Node.Objects("spec", "rules"))
            .Select(rule => rule.Text("host"))
            .OfType<string>()
            .Distinct();

    /// <summary>For each host that leads to a Service a path that answers: the readiness path of the pods behind it.</summary>
    internal static IEnumerable<(string Host, string Path)> Paths(ImmutableArray<Manifest> manifests)
    {
        foreach (var rule in manifests.Where(manifest => manifest.Key.Type.Kind == "Ingress").SelectMany(manifest => manifest.Node.Objects("spec", "rules")))
        {
            var route = rule.Objects("http", "paths").FirstOrDefault();
            var service = manifests.FirstOrDefault(manifest => manifest.Key.Type.Kind == "Service" && manifest.Key.Name == route.Text("backend", "service", "name"));
            if (rule.Text("host") is { } host && service is not null)
            {
                var selector = service.Node.Texts("spec", "selector").ToList();
                var probe = manifests.Select(manifest => PodSpecs.TemplateOf(manifest.Node))
                    .Where(template => template is not null && selector.All(label => template.Label(label.Key) == label.Value))
                    .SelectMany(template => template.Objects("spec", "containers"))
                    .Select(container => container.Text("readinessProbe", "httpGet", "path"))
                    .FirstOrDefault(path => path is not null);
                yield return (host, probe ?? "/");
            }
        }
    }

    private async Task<string> CommandAsync(ToolName tool, string name, CancellationToken cancellationToken)
    {
        try
        {
            var found = await tools.RequireAsync(tool, "the commands to check with", cancellationToken);
            return found.Source == "PATH" ? name : Short(found.Path);
        }
        catch (K3sException)
        {
            // The deploy is done without it; the operator may have it elsewhere.
            return name;
        }
    }

    // As the operator types it, who is where build.sh was called.
    private string Short(string path)
    {
        var relative = Path.GetRelativePath(variables["PWD"] ?? run.Options.Root, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
