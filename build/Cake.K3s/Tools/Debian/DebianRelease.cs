namespace Cake.K3s.Tools.Debian;

/// <summary>Which release of Debian packages are taken from.</summary>
public enum DebianRelease
{
    /// <summary>
    /// Debian 13 (trixie), whose programs are new enough; on a host that is not Debian, the host's own release. For programs
    /// that need nothing of the host but its kernel and libc, and for images.
    /// </summary>
    Current,

    /// <summary>
    /// Debian's unstable branch, for a version that no release has yet; on a host that is not Debian, the host's own release.
    /// </summary>
    Unstable,

    /// <summary>The host's own release: for programs that need the host's libc or kernel to fit.</summary>
    Host,
}
