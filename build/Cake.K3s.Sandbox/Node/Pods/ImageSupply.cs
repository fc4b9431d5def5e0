using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Sandbox.Node.Probes;
using Docker.DotNet.Models;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Has the image of a container at hand before it is created: policy, credentials, back-off and events of a kubelet.</summary>
internal sealed class ImageSupply(ContainerEngine engine, PodSources sources, EventRecorder events, TimeProvider time)
{
    private const string Component = "kubelet";

    // A kubelet comes back to a failed pull with its next look at the pod; from then on the reason is ImagePullBackOff.
    private static readonly TimeSpan NextLook = TimeSpan.FromSeconds(2);

    /// <summary>The image, or why the container has to wait and for how long.</summary>
    public async Task<(ImageRecord? Image, WaitReason? Waiting, TimeSpan Retry)> EnsureAsync(
        V1Pod pod, V1Container container, PullHistory history, CancellationToken cancellationToken)
    {
        var image = container.Image;
        var path = ContainerPath.Of(pod, container);
        var policy = container.ImagePullPolicy ?? DefaultPolicy(image);
        var present = policy == "Always" ? null : await engine.FindImageAsync(image, cancellationToken);
        if (present is not null)
        {
            events.Normal(pod, Component, "Pulled", $"Container image \"{image}\" already present on machine", path);
            return (present, null, TimeSpan.Zero);
        }

        if (policy == "Never")
        {
            var message = $"Container image \"{image}\" is not present with pull policy of Never";
            events.Warning(pod, Component, "ErrImageNeverPull", message, path);
            events.Warning(pod, Component, "Failed", "Error: ErrImageNeverPull", path);
            return (null, new("ErrImageNeverPull", message), TimeSpan.FromSeconds(10));
        }

        var now = time.GetUtcNow();
        if (history.LastError(image) is { } last && history.BackOff.Remaining(image, last.At, now) is var remaining && remaining > TimeSpan.Zero)
        {
            var message = $"Back-off pulling image \"{image}\"";
            events.Normal(pod, Component, "BackOff", message, path);
            events.Warning(pod, Component, "Failed", "Error: ImagePullBackOff", path);
            return (null, new("ImagePullBackOff", $"{message}: ErrImagePull: {last.Message}"), remaining);
        }

        events.Normal(pod, Component, "Pulling", $"Pulling image \"{image}\"", path);
        var watch = Stopwatch.StartNew();
        try
        {
            await engine.PullAsync(image, await CredentialsAsync(pod, image, cancellationToken), cancellationToken);
        }
        catch (ImagePullException e)
        {
            history.Failed(image, e.Message, time.GetUtcNow());
            events.Warning(pod, Component, "Failed", $"Failed to pull image \"{image}\": {e.Message}", path);
            events.Warning(pod, Component, "Failed", "Error: ErrImagePull", path);
            return (null, new("ErrImagePull", e.Message), NextLook);
        }

        history.Succeeded(image);
        var pulled = await engine.FindImageAsync(image, cancellationToken);
        if (pulled is null)
        {
            var message = PullFailure.Describe(image, "no match for platform in manifest");
            history.Failed(image, message, time.GetUtcNow());
            events.Warning(pod, Component, "Failed", $"Failed to pull image \"{image}\": {message}", path);
            events.Warning(pod, Component, "Failed", "Error: ErrImagePull", path);
            return (null, new("ErrImagePull", message), NextLook);
        }

        var took = Took(watch.Elapsed);
        events.Normal(pod, Component, "Pulled", $"Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {pulled.Size} bytes.", path);
        return (pulled, null, TimeSpan.Zero);
    }

    private static string DefaultPolicy(string image)
    {
        var name = PullFailure.Normalize(image);
        return name.EndsWith(":latest", StringComparison.Ordinal) ? "Always" : "IfNotPresent";
    }

    private static string Took(TimeSpan elapsed) => elapsed.TotalSeconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalMilliseconds:0}ms")
        : string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds:0.000}s");

    private async Task<AuthConfig?> CredentialsAsync(V1Pod pod, string image, CancellationToken cancellationToken)
    {
        var host = PullFailure.Normalize(image).Split('/')[0];
        foreach (var reference in pod.Spec.ImagePullSecrets ?? [])
        {
            var secret = await sources.SecretAsync(pod.Metadata.NamespaceProperty, reference.Name, cancellationToken);
            if (secret?.Data?.TryGetValue(".dockerconfigjson", out var content) == true
                && JsonNode.Parse(content)?["auths"] is JsonObject auths
                && auths.FirstOrDefault(pair => HostOf(pair.Key) == host).Value is JsonObject entry)
            {
                return ToCredentials(entry, host);
            }
        }

        return null;
    }

    private static string HostOf(string server)
    {
        var withoutScheme = server.Contains("://", StringComparison.Ordinal) ? server[(server.IndexOf("://", StringComparison.Ordinal) + 3)..] : server;
        var host = withoutScheme.Split('/')[0];
        return host is "index.docker.io" or "registry-1.docker.io" ? "docker.io" : host;
    }

    private static AuthConfig ToCredentials(JsonObject entry, string host)
    {
        var (user, password) = ((string?)entry["username"], (string?)entry["password"]);
        if (user is null && (string?)entry["auth"] is { } encoded)
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(encoded)).Split(':', 2);
            (user, password) = (pair[0], pair.ElementAtOrDefault(1));
        }

        return new AuthConfig { Username = user, Password = password, ServerAddress = host };
    }
}

/// <summary>The failed pulls of a pod.</summary>
internal sealed class PullHistory
{
    private readonly Dictionary<string, (string Message, DateTimeOffset At)> _errors = [];

    public RestartBackOff BackOff { get; } = new();

    public (string Message, DateTimeOffset At)? LastError(string image) => _errors.TryGetValue(image, out var error) ? error : null;

    public void Failed(string image, string message, DateTimeOffset now)
    {
        _errors[image] = (message, now);
        BackOff.Next(image, now);
    }

    public void Succeeded(string image) => _errors.Remove(image);
}
