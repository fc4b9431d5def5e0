namespace Cake.K3s.Edge.Cloudflare;

/// <summary>What is done with one zone, and with what its account shares between zones.</summary>
internal sealed class CloudflareZone(CloudflareApi api, Zone zone)
{
    private const string CachePhase = "http_request_cache_settings";
    private const int MostPurged = 30;

    /// <summary>The zone's name.</summary>
    public string Name => zone.Name;

    private string Path => "/zones/" + zone.Id;

    private string Pools => $"/accounts/{zone.Account.Id}/load_balancers/pools";

    private string Monitors => $"/accounts/{zone.Account.Id}/load_balancers/monitors";

    /// <summary>Finds a zone by its name.</summary>
    /// <exception cref="K3sException">The token sees no such zone (exit code 5), or Cloudflare refuses.</exception>
    public static async Task<CloudflareZone> OpenAsync(CloudflareApi api, string name, CancellationToken cancellationToken)
    {
        var found = await api.ListAsync<Zone>($"find zone {name}", $"/zones?name={Uri.EscapeDataString(name)}", cancellationToken);
        return found.FirstOrDefault(zone => zone.Name == name) is { } zone
            ? new(api, zone)
            : throw new K3sException(
                ExitCodes.RequirementMissing,
                $"Cloudflare: the token sees no zone {name}",
                "Correct edge.cloudflareZone, or give the token of edge.cloudflareToken that zone: docs/edge.md lists its permissions.");
    }

    /// <summary>The text of a setting of the zone.</summary>
    public async Task<string> SettingAsync(string name, CancellationToken cancellationToken) =>
        (await api.GetAsync<ZoneSetting>($"read setting {name} of zone {Name}", $"{Path}/settings/{name}", cancellationToken)).Value.ToString();

    /// <summary>Changes a setting of the zone.</summary>
    public Task SetAsync(string name, string value, CancellationToken cancellationToken) =>
        api.SendAsync<ZoneSetting>($"set {name} of zone {Name} to {value}", HttpMethod.Patch, $"{Path}/settings/{name}", new { value }, cancellationToken);

    /// <summary>The DNS records in whose place Cloudflare answers.</summary>
    public Task<IReadOnlyList<DnsRecord>> ProxiedRecordsAsync(CancellationToken cancellationToken) =>
        api.ListAsync<DnsRecord>($"list the DNS records of zone {Name}", $"{Path}/dns_records?proxied=true", cancellationToken);

    /// <summary>The Origin CA's certificates for names of the zone.</summary>
    public Task<IReadOnlyList<OriginCertificate>> OriginCertificatesAsync(CancellationToken cancellationToken) =>
        api.ListAsync<OriginCertificate>($"list the origin certificates of zone {Name}", $"/certificates?zone_id={zone.Id}", cancellationToken);

    /// <summary>Has the Origin CA issue a certificate.</summary>
    /// <param name="csr">The request, PEM.</param>
    /// <param name="hostnames">Names of the zone; a wildcard is one level deep.</param>
    /// <param name="days">7, 30, 90, 365, 730, 1095 or 5475.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<OriginCertificate> IssueAsync(string csr, IReadOnlyList<string> hostnames, int days, CancellationToken cancellationToken) =>
        api.SendAsync<OriginCertificate>(
            $"issue an origin certificate for {string.Join(", ", hostnames)}",
            HttpMethod.Post,
            "/certificates",
            new { Csr = csr, Hostnames = hostnames, RequestType = "origin-ecc", RequestedValidity = days },
            cancellationToken);

    /// <summary>Revokes a certificate of the Origin CA.</summary>
    public Task<bool> RevokeAsync(string id, CancellationToken cancellationToken) =>
        api.DeleteAsync("revoke origin certificate " + id, "/certificates/" + id, cancellationToken);

    /// <summary>The certificates that Cloudflare may show to this zone's origins, beside its own.</summary>
    public Task<IReadOnlyList<ClientCertificate>> ClientCertificatesAsync(CancellationToken cancellationToken) =>
        api.ListAsync<ClientCertificate>($"list the client certificates of zone {Name}", Path + "/origin_tls_client_auth", cancellationToken);

    /// <summary>Gives Cloudflare a certificate to show to this zone's origins.</summary>
    /// <param name="certificate">PEM.</param>
    /// <param name="privateKey">PEM; in the body, as nowhere else.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<ClientCertificate> UploadClientCertificateAsync(string certificate, string privateKey, CancellationToken cancellationToken) =>
        api.SendAsync<ClientCertificate>(
            $"upload the client certificate of zone {Name}",
            HttpMethod.Post,
            Path + "/origin_tls_client_auth",
            new { Certificate = certificate, PrivateKey = privateKey },
            cancellationToken);

    /// <summary>Takes such a certificate back.</summary>
    public Task<bool> DeleteClientCertificateAsync(string id, CancellationToken cancellationToken) =>
        api.DeleteAsync($"delete client certificate {id} of zone {Name}", $"{Path}/origin_tls_client_auth/{id}", cancellationToken);

    /// <summary>Whether Cloudflare shows a certificate to this zone's origins.</summary>
    public async Task<bool> HasOriginPullsAsync(CancellationToken cancellationToken) =>
        (await api.GetAsync<OriginPulls>($"read the origin pulls of zone {Name}", Path + "/origin_tls_client_auth/settings", cancellationToken)).Enabled;

    /// <summary>Lets Cloudflare show a certificate, or not.</summary>
    public Task SetOriginPullsAsync(bool enabled, CancellationToken cancellationToken) => api.SendAsync<OriginPulls>(
        $"turn the origin pulls of zone {Name} {(enabled ? "on" : "off")}",
        HttpMethod.Put,
        Path + "/origin_tls_client_auth/settings",
        new { Enabled = enabled },
        cancellationToken);

    /// <summary>The zone's cache rules; null where there never was one.</summary>
    public Task<Ruleset?> CacheRulesAsync(CancellationToken cancellationToken) =>
        api.FindAsync<Ruleset>($"read the cache rules of zone {Name}", $"{Path}/rulesets/phases/{CachePhase}/entrypoint", cancellationToken);

    /// <summary>Makes the zone's first cache rules.</summary>
    public Task CreateCacheRulesAsync(IReadOnlyList<Rule> rules, CancellationToken cancellationToken) => api.SendAsync<Ruleset>(
        $"make the cache rules of zone {Name}", HttpMethod.Put, $"{Path}/rulesets/phases/{CachePhase}/entrypoint", new { Rules = rules }, cancellationToken);

    /// <summary>Adds a rule after the others.</summary>
    public Task AddRuleAsync(string ruleset, Rule rule, CancellationToken cancellationToken) =>
        api.SendAsync<Ruleset>($"add cache rule {rule.Ref} to zone {Name}", HttpMethod.Post, $"{Path}/rulesets/{ruleset}/rules", rule, cancellationToken);

    /// <summary>Changes a rule.</summary>
    public Task ChangeRuleAsync(string ruleset, string id, Rule rule, CancellationToken cancellationToken) =>
        api.SendAsync<Ruleset>($"change cache rule {rule.Ref} of zone {Name}", HttpMethod.Patch, $"{Path}/rulesets/{ruleset}/rules/{id}", rule, cancellationToken);

    /// <summary>Deletes a rule.</summary>
    public Task<bool> DeleteRuleAsync(string ruleset, string id, CancellationToken cancellationToken) =>
        api.DeleteAsync($"delete cache rule {id} of zone {Name}", $"{Path}/rulesets/{ruleset}/rules/{id}", cancellationToken);

    /// <summary>Drops addresses from the cache.</summary>
    public async Task PurgeAsync(IReadOnlyList<Uri> addresses, CancellationToken cancellationToken)
    {
        foreach (var some in addresses.Chunk(MostPurged))
        {
            await api.SendAsync<Account>(
                $"purge {some.Length} addresses of zone {Name}", HttpMethod.Post, Path + "/purge_cache", new { Files = some.Select(address => address.AbsoluteUri) }, cancellationToken);
        }
    }

    /// <summary>Drops addresses that begin so, without a scheme (<c>host/path</c>), from the cache.</summary>
    public async Task PurgePrefixesAsync(IReadOnlyList<string> prefixes, CancellationToken cancellationToken)
    {
        foreach (var some in prefixes.Chunk(MostPurged))
        {
            await api.SendAsync<Account>(
                $"purge {some.Length} prefixes of zone {Name}", HttpMethod.Post, Path + "/purge_cache", new { Prefixes = some }, cancellationToken);
        }
    }

    /// <summary>The account's monitors.</summary>
    public Task<IReadOnlyList<PoolMonitor>> MonitorsAsync(CancellationToken cancellationToken) =>
        api.ListAsync<PoolMonitor>("list the account's monitors", Monitors, cancellationToken);

    /// <summary>Makes or replaces a monitor.</summary>
    public Task<PoolMonitor> PutMonitorAsync(string? id, PoolMonitor monitor, CancellationToken cancellationToken) =>
        PutAsync($"write monitor {monitor.Description}", Monitors, id, monitor, cancellationToken);

    /// <summary>Deletes a monitor.</summary>
    public Task<bool> DeleteMonitorAsync(string id, CancellationToken cancellationToken) =>
        api.DeleteAsync("delete monitor " + id, $"{Monitors}/{id}", cancellationToken);

    /// <summary>The account's pools.</summary>
    public Task<IReadOnlyList<Pool>> PoolsAsync(CancellationToken cancellationToken) =>
        api.ListAsync<Pool>("list the account's pools", Pools, cancellationToken);

    /// <summary>Makes or replaces a pool.</summary>
    public Task<Pool> PutPoolAsync(string? id, Pool pool, CancellationToken cancellationToken) =>
        PutAsync($"write pool {pool.Name}", Pools, id, pool, cancellationToken);

    /// <summary>Deletes a pool.</summary>
    public Task<bool> DeletePoolAsync(string id, CancellationToken cancellationToken) =>
        api.DeleteAsync("delete pool " + id, $"{Pools}/{id}", cancellationToken);

    /// <summary>The zone's load balancers.</summary>
    public Task<IReadOnlyList<LoadBalancer>> LoadBalancersAsync(CancellationToken cancellationToken) =>
        api.ListAsync<LoadBalancer>($"list the load balancers of zone {Name}", Path + "/load_balancers", cancellationToken);

    /// <summary>Makes or replaces a load balancer.</summary>
    public Task<LoadBalancer> PutLoadBalancerAsync(string? id, LoadBalancer balancer, CancellationToken cancellationToken) =>
        PutAsync($"write load balancer {balancer.Name}", Path + "/load_balancers", id, balancer, cancellationToken);

    /// <summary>Deletes a load balancer.</summary>
    public Task<bool> DeleteLoadBalancerAsync(string id, CancellationToken cancellationToken) =>
        api.DeleteAsync("delete load balancer " + id, $"{Path}/load_balancers/{id}", cancellationToken);

    private Task<T> PutAsync<T>(string purpose, string path, string? id, T body, CancellationToken cancellationToken)
        where T : class => id is null
            ? api.SendAsync<T>(purpose, HttpMethod.Post, path, body, cancellationToken)
            : api.SendAsync<T>(purpose, HttpMethod.Put, $"{path}/{id}", body, cancellationToken);
}
