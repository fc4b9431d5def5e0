using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>An image is in the registry, with its signature and its tags.</summary>
/// <param name="Image">The image's name.</param>
/// <param name="Reference">As <c>repository@sha256:…</c>.</param>
/// <param name="Tags">The tags that name it.</param>
/// <param name="SentBytes">How many bytes of its blobs were sent; 0 where it was there already.</param>
/// <param name="VerifyCommand">A command line that verifies its signature.</param>
public sealed record ImagePushed(string Image, string Reference, ImmutableArray<string> Tags, long SentBytes, string VerifyCommand) : RunEvent;
