using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// Tells an image that cannot be pulled from one that could not be pulled this time. The words are those of containerd, the Docker
/// engine and the registries; a message that is in none of the lists is taken for a passing fault.
/// </summary>
internal static class ImagePull
{
    // Looked at first: Docker Hub's rate-limit message also speaks of authenticating.
    private static readonly ImmutableArray<string> Passing =
        ["toomanyrequests", "too many requests", "429", "timeout", "timed out", "deadline exceeded", "connection reset", "connection refused",
         "unexpected eof", ": eof", "temporary failure", "no such host", "server misbehaving", "500 internal", "502 bad", "503 service", "504 gateway"];

    private static readonly ImmutableArray<string> Credentials =
        ["unauthorized", "authentication required", "no basic auth credentials", "access denied", "denied:", "403 forbidden", "authorization failed",
         "insufficient_scope"];

    private static readonly ImmutableArray<string> Platform =
        ["no match for platform", "no matching manifest", "does not match the specified platform", "does not provide the specified platform",
         "exec format error"];

    private static readonly ImmutableArray<string> Missing =
        ["not found", "manifest unknown", "name unknown", "notfound", "does not exist"];

    private static readonly ImmutableArray<string> Transport =
        ["x509:", "certificate", "server gave http response to https client", "first record does not look like a tls handshake"];

    public static Verdict Judge(JsonObject pod, JsonObject status, string reason, string message, ImmutableArray<JsonObject> events)
    {
        var image = status.Text("image") ?? "";
        switch (reason)
        {
            case "InvalidImageName":
                return Verdict.Fatal(reason, Say(message, image), "correct the image's name in the manifest");
            case "ErrImageNeverPull":
                return Verdict.Fatal(reason, Say(message, image), "load the image on the node, or let imagePullPolicy allow a pull");
            case "SignatureValidationFailed":
                return Verdict.Fatal(reason, Say(message, image), "sign the image with the key that the cluster trusts");
        }

        // While it backs off, an older kubelet says only that it does; why is then in the pod's last event.
        var cause = IsBare(message)
            ? events.LastOrDefault(e => e.Text("reason") == "Failed" && e.Text("message") is { } text && text.StartsWith("Failed to pull", StringComparison.Ordinal))
                .Text("message") ?? message
            : message;
        if (Speaks(cause, Passing))
        {
            return Verdict.Transient(reason, Say(cause, image));
        }

        if (Speaks(cause, Platform))
        {
            return Verdict.Fatal(ContainerStart.WrongArchitectureReason, Say(cause, image), ContainerStart.WrongArchitectureAdvice);
        }

        if (Speaks(cause, Credentials))
        {
            return Verdict.Fatal(
                reason, Say(cause, image),
                $"give the pod credentials for the registry: imagePullSecrets in namespace {pod.NamespaceName()}, or the node's registries.yaml; then see that the image's name is right");
        }

        if (Speaks(cause, Missing))
        {
            return Verdict.Fatal(reason, Say(cause, image), "push the image, or correct its name, tag or digest in the manifest");
        }

        return Speaks(cause, Transport)
            ? Verdict.Fatal(reason, Say(cause, image), "make the node trust the registry: its certificate or mirror in the node's registries.yaml")
            : Verdict.Transient(reason, Say(cause, image));
    }

    private static bool IsBare(string message) => message.Length == 0 || (message.StartsWith("Back-off", StringComparison.Ordinal) && !message.Contains("Err", StringComparison.Ordinal));

    private static bool Speaks(string cause, ImmutableArray<string> words) =>
        words.Any(word => cause.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static string Say(string message, string image) =>
        message.Length == 0 ? $"image {image} cannot be pulled" : message.Contains(image, StringComparison.Ordinal) ? message : $"image {image}: {message}";
}
