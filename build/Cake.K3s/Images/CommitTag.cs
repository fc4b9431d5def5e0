using System.Collections.Immutable;
using Cake.K3s.Environments;

namespace Cake.K3s.Images;

/// <summary>The tag that says which commit an image comes from.</summary>
internal static class CommitTag
{
    private const int CommitLength = 12;

    /// <summary>
    /// <c>sha-COMMIT</c>, with the environment's name after it where the environment has build arguments of its own for the
    /// image; none where the files differ from the commit, because then the tag would not be true.
    /// </summary>
    public static ImmutableArray<string> Of(SourceRevision? revision, DeployEnvironment environment, string image) => revision switch
    {
        { IsDirty: false } when environment.BuildArguments.GetValueOrDefault(image) is { IsEmpty: false } => [$"sha-{revision.Commit[..CommitLength]}-{environment.Name}"],
        { IsDirty: false } => [$"sha-{revision.Commit[..CommitLength]}"],
        _ => [],
    };
}
