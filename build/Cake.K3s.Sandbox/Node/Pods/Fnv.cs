using System.Globalization;
using System.Text;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>FNV-1a, the hash that Kubernetes uses for names and labels: short, stable, not for secrets.</summary>
internal static class Fnv
{
    private const string SafeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

    public static uint Compute(string text)
    {
        var hash = 2166136261;
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * 16777619;
        }

        return hash;
    }

    public static string Hash32(string text) => Compute(text).ToString("x", CultureInfo.InvariantCulture);

    /// <summary>The hash as it stands in names: digits and letters that form no words (apimachinery rand.SafeEncodeString).</summary>
    public static string Safe(string text) =>
        string.Concat(Compute(text).ToString(CultureInfo.InvariantCulture).Select(c => SafeAlphabet[c % SafeAlphabet.Length]));
}
