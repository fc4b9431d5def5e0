namespace Cake.K3s.Tools.Debian;

/// <summary>One version of one package.</summary>
/// <param name="Name">Its name, e.g. <c>libpq5</c>.</param>
/// <param name="Version">Its version, e.g. <c>15.18-0+deb12u1</c>; with epoch, where it has one, e.g. <c>1:4.4.33-2</c>.</param>
/// <param name="Size">The size of the download in bytes.</param>
public sealed record DebianPackage(string Name, string Version, long Size);
