using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Edge.EdgeCache;

/// <summary>The rules of deploy.yaml as Cloudflare wants them.</summary>
internal static class CacheRules
{
    private const string SetCache = "set_cache_settings";

    /// <summary>What the refs of an environment's rules begin with. No name of ours has an underscore.</summary>
    public static string Prefix(string app, string environment) => $"cake_k3s_{app}_{environment}_";

    /// <summary>The rules, in order.</summary>
    /// <exception cref="K3sException">A path would end the text that it stands in (exit code 2).</exception>
    public static ImmutableArray<Rule> Of(string app, string environment, EdgeCacheSettings settings) =>
        [.. settings.Rules.Select(rule => Of(Prefix(app, environment), rule))];

    /// <summary>Whether a rule of Cloudflare's is as it should be.</summary>
    public static bool Same(Rule live, Rule wanted) =>
        live.Expression == wanted.Expression && live.Action == wanted.Action && live.Enabled == wanted.Enabled && live.Description == wanted.Description
        && JsonNode.DeepEquals(live.ActionParameters, wanted.ActionParameters);

    /// <summary>What a rule keeps: single addresses, and prefixes without a scheme.</summary>
    public static (ImmutableArray<Uri> Addresses, ImmutableArray<string> Prefixes) Kept(EdgeCacheSettings settings) => (
        [.. from rule in settings.Rules from path in rule.Paths where !path.EndsWith('*') select new Uri($"https://{rule.Host}{path}")],
        [.. from rule in settings.Rules from path in rule.Paths where path.EndsWith('*') select rule.Host + path.TrimEnd('*')]);

    private static Rule Of(string prefix, EdgeCacheRule rule)
    {
        if (rule.Paths.FirstOrDefault(path => !path.StartsWith('/') || path.AsSpan().IndexOfAny("\"\\ ?\n") >= 0 || path.TrimEnd('*').Contains('*', StringComparison.Ordinal)) is { } wrong)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"EdgeCache: rule {rule.Name} has the path '{wrong}', which is none",
                "A path begins with a slash, has no spaces, quotes or query, and a star at its end only: /assets/*.");
        }

        var paths = rule.Paths.Select(path => path.EndsWith('*')
            ? $"starts_with(http.request.uri.path, \"{path.TrimEnd('*')}\")"
            : $"http.request.uri.path eq \"{path}\"");
        return new(
            null,
            prefix + rule.Name,
            "Made by Cake.K3s from edge.cache of deploy.yaml",
            $"(http.host eq \"{rule.Host}\" and ({string.Join(" or ", paths)}))",
            SetCache,
            new JsonObject { ["cache"] = true, ["edge_ttl"] = Ttl(rule.Edge), ["browser_ttl"] = Ttl(rule.Browser) },
            true);
    }

    private static JsonObject Ttl(Duration? time) => time is { } set
        ? new() { ["mode"] = "override_origin", ["default"] = (long)set.Value.TotalSeconds }
        : new() { ["mode"] = "respect_origin" };
}
