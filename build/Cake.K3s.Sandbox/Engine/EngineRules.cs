using System.Net;
using System.Text;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>Finds what a Docker engine has left in a table of iptables, from the text of <c>iptables -S</c>.</summary>
internal static class EngineRules
{
    /// <summary>The arguments that delete each rule about a sandbox's bridges or addresses.</summary>
    /// <param name="rules">The lines of <c>iptables -S</c>.</param>
    /// <param name="bridge">The sandbox's bridge.</param>
    /// <param name="addresses">The sandbox's addresses, those of networks that its users made included.</param>
    public static IEnumerable<string[]> Own(IEnumerable<string> rules, string bridge, IPNetwork addresses)
    {
        var appended = Appended(rules).ToList();

        // A network that a user made has a bridge of a random name; the rule that masquerades its addresses tells it.
        var bridges = appended
            .Where(rule => rule.Any(word => IsWithin(word, addresses)))
            .SelectMany(Interfaces)
            .Append(bridge)
            .ToHashSet();
        return appended
            .Where(rule => rule.Any(word => IsWithin(word, addresses)) || Interfaces(rule).Any(bridges.Contains))
            .Select(Deletion);
    }

    /// <summary>The arguments that delete Docker's chains and the jumps to them; none where a rule of another engine is in one.</summary>
    public static IEnumerable<string[]> UnusedChains(IReadOnlyCollection<string> rules)
    {
        var chains = rules.Select(Words).Where(words => words is ["-N", _] && IsDockers(words[1])).Select(words => words[1]).ToList();
        var appended = Appended(rules).ToList();
        if (appended.Any(rule => (IsDockers(rule[1]) || rule.Any(IsDockers)) && Interfaces(rule).Any()))
        {
            return [];
        }

        return
        [
            .. appended.Where(rule => IsDockers(rule[1]) || Target(rule) is { } target && IsDockers(target)).Select(Deletion),
            .. chains.Select(chain => (string[])["-X", chain]),
        ];
    }

    private static IEnumerable<string[]> Appended(IEnumerable<string> rules) =>
        rules.Select(Words).Where(words => words is ["-A", _, ..]);

    private static string[] Deletion(string[] rule) => ["-D", .. rule.Skip(1)];

    private static bool IsDockers(string chain) => chain == "DOCKER" || chain.StartsWith("DOCKER-", StringComparison.Ordinal);

    private static string? Target(string[] rule) => rule.SkipWhile(word => word != "-j").Skip(1).FirstOrDefault();

    private static IEnumerable<string> Interfaces(string[] rule) =>
        rule.Zip(rule.Skip(1)).Where(pair => pair.First is "-i" or "-o").Select(pair => pair.Second);

    private static bool IsWithin(string word, IPNetwork addresses) =>
        (IPNetwork.TryParse(word, out var network) && network.PrefixLength >= addresses.PrefixLength && addresses.Contains(network.BaseAddress))
        || (word.Contains('.') && IPAddress.TryParse(word.Split(':')[0], out var address) && addresses.Contains(address));

    // iptables puts a word that has spaces (a comment) in double quotes, with \ before a quote.
    private static string[] Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quoted, any) = (false, false);
        for (var i = 0; i < line.Length; i++)
        {
            switch (line[i])
            {
                case '\\' when quoted && i + 1 < line.Length:
                    word.Append(line[++i]);
                    break;
                case '"':
                    (quoted, any) = (!quoted, true);
                    break;
                case ' ' when !quoted:
                    if (any)
                    {
                        words.Add(word.ToString());
                        word.Clear();
                        any = false;
                    }

                    break;
                default:
                    word.Append(line[i]);
                    any = true;
                    break;
            }
        }

        return any ? [.. words, word.ToString()] : [.. words];
    }
}
