using System.Text.RegularExpressions;

namespace Cake.K3s.Settings.Schema;

/// <summary>What generated pages have in common.</summary>
internal static partial class ReferencePage
{
    /// <summary>Tells a generated page from one that somebody wrote.</summary>
    public const string Mark = "<!-- Generated: ./build.sh --target=Schema -->";

    /// <summary>A heading's anchor, as Gitea and GitHub make it.</summary>
    public static string Anchor(string heading) => NotInAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
