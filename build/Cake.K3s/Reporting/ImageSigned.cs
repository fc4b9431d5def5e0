using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>An image has a signature that verifies.</summary>
/// <param name="Image">The image's name.</param>
/// <param name="PublicKey">The file of the key that it verifies with.</param>
/// <param name="IsNew">Whether it was signed now.</param>
/// <param name="Statements">What is attested about it, each in a few words, e.g. what is in it; empty where that was done by an earlier run.</param>
public sealed record ImageSigned(string Image, string PublicKey, bool IsNew, ImmutableArray<string> Statements) : RunEvent;
