using Cake.K3s.Processes;

namespace Cake.K3s.Images;

/// <summary>Says why a build failed, in the builder's own words: a pure function of its output.</summary>
internal static class BuildxFailure
{
    private const string Mark = "ERROR: ";
    private const int ShownLines = 30;

    /// <summary>The failure of one image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="log">Where the whole output is.</param>
    /// <param name="output">The whole output.</param>
    /// <param name="cause">The runner's failure.</param>
    public static K3sException Of(string image, string log, IReadOnlyList<string> output, CommandFailedException cause)
    {
        var last = output.LastOrDefault(line => line.StartsWith(Mark, StringComparison.Ordinal));
        if (last is null)
        {
            return new(ExitCodes.Failed, $"image {image} did not build: {cause.Summary}", $"The whole output is in {log}", cause.LastLines, cause);
        }

        var message = last[Mark.Length..];
        if (message.Contains("Cache export is not supported", StringComparison.OrdinalIgnoreCase))
        {
            return new(
                ExitCodes.RequirementMissing,
                $"image {image} did not build: the builder cannot export the cache that 'registry.cache' asks for: {message}",
                "Turn on the Docker engine's containerd image store, make a builder (docker buildx create --use --driver docker-container), or take 'registry.cache' out of deploy.yaml.",
                innerException: cause);
        }

        return IsArchiveUnsupported(message)
            ? new(
                ExitCodes.RequirementMissing,
                $"image {image} did not build: the builder cannot write OCI archives: {message}",
                "Turn on the Docker engine's containerd image store (daemon.json: {\"features\":{\"containerd-snapshotter\":true}}), or make a builder: docker buildx create --use --driver docker-container",
                innerException: cause)
            : new(ExitCodes.Failed, $"image {image} did not build: {message}", $"{NextStep(message)}The whole output is in {log}", Excerpt(output), cause);
    }

    // BuildKit's words, and below them those of Go's network and of registries.
    private static string NextStep(string message)
    {
        bool Says(string words) => message.Contains(words, StringComparison.OrdinalIgnoreCase);
        if (Says("failed to resolve source metadata"))
        {
            return Says("dial tcp") || Says("timeout") || Says("no such host")
                ? "The builder does not reach the base image's registry: mend the network or the engine's proxy; without one, make the base an ARG and give the sandbox an image that it makes itself (sandbox://busybox and others, docs/sandbox.md). "
                : "Correct the name and tag of the base image in FROM; if it is private, docker login to its registry. ";
        }

        return Says("failed to calculate checksum") || Says("failed to compute cache key")
            ? "Copy a file that is in the build context (images.NAME.context) and that .dockerignore does not hide; one that has to be made first is for images.NAME.prepare. "
            : "";
    }

    // What buildx prints at its end, from the first "------": the failed step with its output, then the lines of the Dockerfile.
    private static IReadOnlyList<string> Excerpt(IReadOnlyList<string> output)
    {
        var start = output.ToList().IndexOf("------");
        var excerpt = start < 0 ? output : output.Skip(start);
        return [.. excerpt.Where(line => !line.StartsWith(Mark, StringComparison.Ordinal)).TakeLast(ShownLines)];
    }

    // driver/docker in buildx, and older wordings of it.
    private static bool IsArchiveUnsupported(string message) =>
        message.Contains("OCI exporter", StringComparison.OrdinalIgnoreCase)
        || message.Contains("exporter \"oci\" could not be found", StringComparison.Ordinal);
}
