using System.Collections.Immutable;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>
/// The digests that base images are pinned to: <c>images.lock</c> beside deploy.yaml, checked in, one
/// <c>reference digest</c> a line. Dockerfiles go on naming tags; the build puts the pinned image in their place.
/// </summary>
internal sealed class BaseImageLock
{
    private const string FileName = "images.lock";
    private const string Heading = "# Base images and the digests they are pinned to. Written by --target=LockBaseImages; check it in.";

    private BaseImageLock(ImmutableSortedDictionary<string, Digest> digests) => Digests = digests;

    /// <summary>Digests by full reference, e.g. <c>docker.io/library/debian:13</c>.</summary>
    public ImmutableSortedDictionary<string, Digest> Digests { get; }

    /// <summary>The file in the directory of deploy.yaml.</summary>
    public static string FileIn(string root) => Path.Combine(root, FileName);

    /// <summary>Reads the file; empty if there is none.</summary>
    /// <exception cref="SettingsException">A line is wrong.</exception>
    public static BaseImageLock Read(string file)
    {
        var digests = ImmutableSortedDictionary.CreateBuilder<string, Digest>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in File.Exists(file) ? File.ReadLines(file) : [])
        {
            number++;
            if (line.TrimStart() is not { Length: > 0 } text || text.StartsWith('#'))
            {
                continue;
            }

            var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words is not [var reference, var value] || Digest.TryParse(value) is not { } digest)
            {
                throw new SettingsException(file, number, 1, "expected a reference and its digest: docker.io/library/debian:13 sha256:…", "Run --target=LockBaseImages.");
            }

            digests[reference] = digest;
        }

        return new(digests.ToImmutable());
    }

    /// <summary>The file's text.</summary>
    public static string Text(ImmutableSortedDictionary<string, Digest> digests) =>
        string.Join('\n', digests.Select(pin => $"{pin.Key} {pin.Value}").Prepend(Heading)) + "\n";

    /// <summary>A base image by its digest; as it is if it has one, or has none in this file.</summary>
    /// <param name="image">As the Dockerfile names it.</param>
    public string PinOf(string image) =>
        TryParse(image) is { Digest: null } reference && Digests.TryGetValue(KeyOf(reference), out var digest) ? $"{reference.Name}@{digest}" : image;

    /// <summary>What an image is called in the file.</summary>
    public static string KeyOf(ImageReference reference) => $"{reference.Name}:{reference.Tag ?? "latest"}";

    /// <summary>Reads a base image's reference; null where it is none, e.g. an argument that only another environment sets.</summary>
    public static ImageReference? TryParse(string image)
    {
        try
        {
            return ImageReference.Parse(image);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
