using System.Collections.Immutable;
using Cake.K3s.Environments;

namespace Cake.K3s.Images;

/// <summary>The tag that says which commit an image comes from.</summary>
internal static class CommitTag
{
    private const int CommitLength = 12;
    private const int KeyLength = 8;

    /// <summary>
    /// <c>sha-COMMIT</c>; with the start of the content key after it where the environment has build arguments of its own for the
    /// image, because the commit alone then does not say which image it is. None where the files differ from the commit,
    /// because then the tag would not be true.
    /// </summary>
    public static ImmutableArray<string> Of(SourceRevision? revision, DeployEnvironment environment, string image, string key) => revision switch
    {
        { IsDirty: false } when environment.BuildArguments.GetValueOrDefault(image) is { IsEmpty: false } => [$"sha-{revision.Commit[..CommitLength]}-{key[..KeyLength]}"],
        { IsDirty: false } => [$"sha-{revision.Commit[..CommitLength]}"],
        _ => [],
    };
}
