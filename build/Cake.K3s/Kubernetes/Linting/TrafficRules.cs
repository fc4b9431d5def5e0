using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Rules about requests finding their way: probes, Services, Ingresses.</summary>
internal static class TrafficRules
{
    private static readonly string[] Probes = ["startupProbe", "readinessProbe", "livenessProbe"];
    private const string MiddlewareAnnotation = "traefik.ingress.kubernetes.io/router.middlewares";

    public static readonly LintRule ProbePort = new(
        "K3S003",
        "probe-port-not-served",
        LintSeverity.Error,
        "A probe of a port that the container does not serve never succeeds.",
        "Name a port that is among the container's ports.");

    /// <summary>The paths that a workload's containers serve, e.g. <c>/healthz, /api/*</c>: declared on the workload.</summary>
    public const string PathsAnnotation = "cake-k3s/paths";

    public static readonly LintRule ProbePath = new(
        "K3S019",
        "probe-path-not-served",
        LintSeverity.Error,
        "A probe of a path that the container does not serve gets 404 for ever.",
        "Probe a path that the workload's annotation cake-k3s/paths names, or correct the annotation.");

    public static readonly LintRule SelectsNothing = new(
        "K3S006",
        "service-selects-nothing",
        LintSeverity.Error,
        "A Service that selects no pod refuses every request.",
        "Make its selector equal to the labels of the workload's pod template.");

    public static readonly LintRule IngressBackend = new(
        "K3S007",
        "ingress-backend-missing",
        LintSeverity.Error,
        "An Ingress whose Service or port is not there answers every request with 503 or 404.",
        "Name a Service of these manifests and one of its ports.");

    public static readonly LintRule IngressReference = new(
        "K3S008",
        "ingress-reference-missing",
        LintSeverity.Warning,
        "Traefik drops a router whose middleware is missing, and serves its own certificate where the Secret is.",
        "Add the Secret or Middleware to the manifests, or correct its name; suppress the rule where cert-manager makes the Secret.");

    public static readonly LintRule ServicePort = new(
        "K3S009",
        "service-port-not-served",
        LintSeverity.Error,
        "A Service whose targetPort no container has leads nowhere.",
        "Make targetPort the name or number of a container's port.");

    public static IEnumerable<LintFinding> Check(LintSubject subject) =>
    [
        .. subject.Workloads.SelectMany(CheckProbes),
        .. subject.Workloads.SelectMany(CheckPaths),
        .. subject.OfKind("", "Service").SelectMany(service => CheckService(subject, service)),
        .. subject.OfKind("networking.k8s.io", "Ingress").SelectMany(ingress => CheckIngress(subject, ingress)),
    ];

    private static IEnumerable<LintFinding> CheckProbes(Workload workload) =>
        from container in workload.AllContainers
        let ports = container.Objects("ports").ToList()
        from name in Probes
        let port = container.At(name, "httpGet", "port") ?? container.At(name, "tcpSocket", "port") ?? container.At(name, "grpc", "port")
        where port is not null && !ports.Any(candidate => IsNamed(candidate, port)) && (ports.Count > 0 || IsName(port))
        select ProbePort.Found(workload.Manifest, port, $"{name} of container {container.Text("name")} asks port {port}, which is not among its ports");

    private static IEnumerable<LintFinding> CheckPaths(Workload workload)
    {
        // Which paths a program serves is known only where somebody says so.
        var declared = (workload.Manifest.Node.Annotation(PathsAnnotation) ?? workload.Template.Annotation(PathsAnnotation))?
            .Split([',', ' ', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return declared is null
            ? []
            : from container in workload.AllContainers
              from name in Probes
              where container.At(name, "httpGet") is not null
              let path = '/' + (container.Text(name, "httpGet", "path") ?? "").Split('?')[0].TrimStart('/')
              where !declared.Any(served => served == path || (served.EndsWith('*') && path.StartsWith(served[..^1], StringComparison.Ordinal)))
              select ProbePath.Found(workload.Manifest, container.At(name, "httpGet"), $"{name} of container {container.Text("name")} asks {path}, which is not among its paths: {string.Join(", ", declared)}");
    }

    private static IEnumerable<LintFinding> CheckService(LintSubject subject, Manifest service)
    {
        var selector = service.Node.Texts("spec", "selector").ToList();
        if (selector.Count == 0 || service.Node.Text("spec", "type") == "ExternalName")
        {
            yield break;
        }

        var selected = subject.Selected(service, selector).ToList();
        if (selected.Count == 0)
        {
            yield return SelectsNothing.Found(service, service.Node.At("spec", "selector"), "no pod template of these manifests has all labels of its selector");
            yield break;
        }

        foreach (var port in service.Node.Objects("spec", "ports"))
        {
            var target = port["targetPort"] ?? port["port"];
            var served = selected.SelectMany(workload => workload.Containers).SelectMany(container => container.Objects("ports")).ToList();
            if (target is not null && !served.Any(candidate => IsNamed(candidate, target)) && (served.Count > 0 || IsName(target)))
            {
                yield return ServicePort.Found(service, target, $"no container of {selected[0].Manifest} has the port {target}");
            }
        }
    }

    private static IEnumerable<LintFinding> CheckIngress(LintSubject subject, Manifest ingress)
    {
        var backends = ingress.Node.Objects("spec", "rules")
            .SelectMany(rule => rule.Objects("http", "paths"))
            .Select(path => path.At("backend", "service"))
            .Append(ingress.Node.At("spec", "defaultBackend", "service"));
        foreach (var backend in backends.OfType<JsonObject>())
        {
            var name = backend.Text("name") ?? "";
            if (subject.Find("Service", name, ingress) is not { } service)
            {
                yield return IngressBackend.Found(ingress, backend, $"there is no Service '{name}' in these manifests");
            }
            else if (!service.Node.Objects("spec", "ports").Any(port => IsPort(port, backend["port"])))
            {
                yield return IngressBackend.Found(ingress, backend, $"{service} has no port {backend.At("port", "name") ?? backend.At("port", "number")}");
            }
        }

        foreach (var tls in ingress.Node.Objects("spec", "tls"))
        {
            if (tls.Text("secretName") is { } secret && subject.Find("Secret", secret, ingress) is null
                && !ingress.Node.Texts("metadata", "annotations").Any(annotation => annotation.Key.StartsWith("cert-manager.io/", StringComparison.Ordinal)))
            {
                yield return IngressReference.Found(ingress, tls, $"there is no Secret '{secret}' in these manifests");
            }
        }

        foreach (var reference in (ingress.Node.Annotation(MiddlewareAnnotation) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!subject.Manifests.Any(manifest => manifest.Key.Type.Kind == "Middleware"
                && $"{subject.NamespaceOf(manifest)}-{manifest.Key.Name}@kubernetescrd" == reference))
            {
                yield return IngressReference.Found(
                    ingress, ingress.Node.At("metadata", "annotations", MiddlewareAnnotation), $"there is no Middleware for '{reference}' in these manifests (NAMESPACE-NAME@kubernetescrd)");
            }
        }
    }

    private static bool IsName(JsonNode port) => port is JsonValue value && value.TryGetValue(out string? _);

    private static bool IsNamed(JsonObject containerPort, JsonNode port) =>
        port.ToString() is var text && (containerPort.Text("name") == text || containerPort["containerPort"]?.ToString() == text);

    private static bool IsPort(JsonObject servicePort, JsonNode? wanted) =>
        wanted.Text("name") is { } name
            ? servicePort.Text("name") == name
            : wanted.Number("number") is { } number && servicePort.Number("port") == number;
}
