using System.Globalization;
using System.Text.RegularExpressions;

namespace Cake.K3s.Sandbox.ApiServer.Resources;

/// <summary>Orders API versions as Kubernetes does: <c>v2</c>, <c>v1</c>, <c>v1beta2</c>, <c>v1alpha1</c>, then other names.</summary>
internal static partial class VersionPriority
{
    /// <summary>The preferred version is the greatest.</summary>
    public static IComparer<string> Comparer { get; } = Comparer<string>.Create(Compare);

    private static int Compare(string? left, string? right)
    {
        var ranks = Rank(left!).CompareTo(Rank(right!));
        return ranks != 0 ? ranks : string.CompareOrdinal(right, left);
    }

    private static (int Stability, int Major, int Minor) Rank(string version)
    {
        var match = Shape().Match(version);
        if (!match.Success)
        {
            return (0, 0, 0);
        }

        var stability = match.Groups[2].Value switch { "" => 3, "beta" => 2, _ => 1 };
        var minor = match.Groups[3].Length == 0 ? 0 : int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
        return (stability, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), minor);
    }

    [GeneratedRegex(@"^v(\d{1,9})(?:(alpha|beta)(\d{1,9}))?$")]
    private static partial Regex Shape();
}
