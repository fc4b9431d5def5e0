namespace Cake.K3s.Reporting;

/// <summary>An image's digest is known.</summary>
/// <param name="Image">The image's name.</param>
/// <param name="Repository">Registry and repository that it is for.</param>
/// <param name="Digest">The manifest's digest, <c>sha256:…</c>.</param>
/// <param name="ContentKey">Names all that it is made of.</param>
/// <param name="IsNew">Whether it was built now; otherwise an earlier build of the same content is taken.</param>
/// <param name="Commit">The commit that was checked out; null outside git.</param>
/// <param name="IsDirty">Whether files differed from the commit.</param>
public sealed record ImageBuilt(string Image, string Repository, string Digest, string ContentKey, bool IsNew, string? Commit, bool IsDirty) : RunEvent;
