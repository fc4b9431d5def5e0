using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Rules about what pods run as and with: resources, images, rights, secrets.</summary>
internal static class PodRules
{
    public static readonly LintRule NoResources = new(
        "K3S005",
        "no-resources",
        LintSeverity.Warning,
        "A container without requests is the first to be evicted, and one without a memory limit can take its node down.",
        "Set resources.requests and resources.limits.memory.");

    public static readonly LintRule ImageNotPinned = new(
        "K3S010",
        "image-not-pinned",
        LintSeverity.Warning,
        "What a tag names can change between two pods of the same release.",
        "Name the image by its digest: repository@sha256:…");

    public static readonly LintRule OtherPlatform = new(
        "K3S011",
        "other-platform",
        LintSeverity.Error,
        "Images are built for linux/amd64, and so are the nodes.",
        "Take the node selector or the --platform away, or set it to amd64; name the image that is for amd64.");

    public static readonly LintRule TokenMounted = new(
        "K3S012",
        "token-mounted",
        LintSeverity.Warning,
        "Whoever breaks into a pod finds a token of the Kubernetes API in it.",
        "Set automountServiceAccountToken: false, or give the pod a serviceAccountName of its own if it talks to the API.");

    public static readonly LintRule Privileged = new(
        "K3S013",
        "privileged",
        LintSeverity.Error,
        "A container with the node's own rights is the node.",
        "Take privileged, hostNetwork, hostPID, hostIPC and hostPath away; suppress the rule where the pod's purpose is the node.");

    public static readonly LintRule Secret = new(
        "K3S014",
        "secret-in-git",
        LintSeverity.Error,
        "A secret in git is known to everybody who ever had the repository.",
        "Write ${NAME} and say in deploy.yaml where it comes from; then change the secret.");

    public static readonly LintRule RunsAsRoot = new(
        "K3S018",
        "runs-as-root",
        LintSeverity.Warning,
        "Root in a container needs one bug of the kernel to be root on the node.",
        "Set securityContext.runAsNonRoot: true and allowPrivilegeEscalation: false.");

    public static IEnumerable<LintFinding> Check(LintSubject subject) =>
    [
        .. subject.Workloads.SelectMany(workload => (IEnumerable<LintFinding>)
        [
            .. workload.AllContainers.SelectMany(container => CheckContainer(workload, container)),
            .. CheckPod(workload),
        ]),
        .. subject.OfKind("", "Secret").SelectMany(CheckSecret),
    ];

    private static IEnumerable<LintFinding> CheckContainer(Workload workload, JsonObject container)
    {
        var name = container.Text("name");
        if (container.At("resources", "requests") is null || container.At("resources", "limits", "memory") is null)
        {
            yield return NoResources.Found(workload.Manifest, container["resources"] ?? container, $"container {name} has no requests or no memory limit");
        }

        if (container.Text("image") is { } image && !image.Contains("@sha256:", StringComparison.Ordinal))
        {
            yield return ImageNotPinned.Found(workload.Manifest, container["image"], $"container {name} runs {image}, without a digest");
        }

        if (container.Text("image") is { } reference && Architectures.Of("", reference) is { } other)
        {
            yield return OtherPlatform.Found(workload.Manifest, container["image"], $"container {name} runs {reference}, which is for {other}");
        }

        if (container.Flag("securityContext", "privileged") == true)
        {
            yield return Privileged.Found(workload.Manifest, container.At("securityContext", "privileged"), $"container {name} is privileged");
        }
        else if ((container.Flag("securityContext", "runAsNonRoot") ?? workload.PodSpec.Flag("securityContext", "runAsNonRoot")) != true)
        {
            yield return RunsAsRoot.Found(workload.Manifest, container["securityContext"] ?? container, $"container {name} may run as root");
        }
        else if (container.Flag("securityContext", "allowPrivilegeEscalation") != false)
        {
            yield return RunsAsRoot.Found(workload.Manifest, container["securityContext"] ?? container, $"container {name} may become root");
        }
    }

    private static IEnumerable<LintFinding> CheckPod(Workload workload)
    {
        var spec = workload.PodSpec;
        foreach (var right in (string[])["hostNetwork", "hostPID", "hostIPC"])
        {
            if (spec.Flag(right) == true)
            {
                yield return Privileged.Found(workload.Manifest, spec![right], $"{right} is set");
            }
        }

        foreach (var volume in spec.Objects("volumes").Where(volume => volume.ContainsKey("hostPath")))
        {
            yield return Privileged.Found(workload.Manifest, volume, $"volume {volume.Text("name")} is a directory of the node");
        }

        if (spec.Flag("automountServiceAccountToken") != false && spec.Text("serviceAccountName") is null or "default")
        {
            yield return TokenMounted.Found(workload.Manifest, spec, "the default account's token is mounted");
        }

        var terms = spec.Objects("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").ToList();
        foreach (var (label, wanted) in ((string, string)[])[("kubernetes.io/arch", "amd64"), ("kubernetes.io/os", "linux")])
        {
            // The terms are alternatives: one that takes the nodes is enough.
            if (terms.Count > 0 && terms.All(term => term.Objects("matchExpressions").Any(expression => IsWithout(expression, label, wanted))))
            {
                yield return OtherPlatform.Found(workload.Manifest, terms[0], $"it asks for nodes whose {label} is not {wanted}");
            }

            if (spec.Text("nodeSelector", label) is { } selected && selected != wanted)
            {
                yield return OtherPlatform.Found(workload.Manifest, spec.At("nodeSelector", label), $"it asks for nodes with {label} {selected}");
            }
        }
    }

    private static bool IsWithout(JsonObject expression, string label, string value)
    {
        var lists = expression["values"] is JsonArray values && values.Any(item => item?.ToString() == value);
        return expression.Text("key") == label && expression.Text("operator") switch { "In" => !lists, "NotIn" => lists, "DoesNotExist" => true, _ => false };
    }

    // Read for checking, ${NAME} of a secret has left its mark; whatever has none was written out.
    private static IEnumerable<LintFinding> CheckSecret(Manifest manifest) =>
        from list in (string[])["data", "stringData"]
        from member in manifest.Node.Texts(list)
        where member.Value.Length > 0 && !member.Value.Contains(Substitution.UnknownSecret, StringComparison.Ordinal)
        select Secret.Found(manifest, manifest.Node.At(list, member.Key), $"{list}.{member.Key} is written out");
}
