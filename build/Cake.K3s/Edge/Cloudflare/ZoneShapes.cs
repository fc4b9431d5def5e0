using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Cake.K3s.Edge.Cloudflare;

/// <summary>A zone: a domain at Cloudflare.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Account">Whose it is.</param>
internal sealed record Zone(string Id, string Name, Account Account);

/// <summary>An account.</summary>
/// <param name="Id">Its id.</param>
internal sealed record Account(string Id);

/// <summary>One setting of a zone.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Value">Its value: text for those that are used here.</param>
internal sealed record ZoneSetting(string Id, JsonNode Value);

/// <summary>A DNS record.</summary>
/// <param name="Type">A, AAAA, CNAME …</param>
/// <param name="Name">The full name.</param>
/// <param name="Content">What it leads to.</param>
/// <param name="Proxied">Whether Cloudflare answers in its place.</param>
internal sealed record DnsRecord(string Type, string Name, string Content, bool Proxied);

/// <summary>A certificate of Cloudflare's Origin CA, which Cloudflare alone trusts.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Certificate">PEM.</param>
/// <param name="Hostnames">The names it is for.</param>
internal sealed record OriginCertificate(string Id, string Certificate, ImmutableArray<string> Hostnames);

/// <summary>A certificate that Cloudflare shows to origins.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Certificate">PEM.</param>
/// <param name="Status">E.g. <c>pending_deployment</c>, <c>active</c>, <c>pending_deletion</c>.</param>
internal sealed record ClientCertificate(string Id, string Certificate, string Status);

/// <summary>Whether Cloudflare shows a certificate to origins.</summary>
/// <param name="Enabled">Whether it does.</param>
internal sealed record OriginPulls(bool Enabled);

/// <summary>The rules of one phase.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Rules">The rules, in order; of those that match, a later one decides.</param>
internal sealed record Ruleset(string Id, ImmutableArray<Rule>? Rules);

/// <summary>One rule.</summary>
/// <param name="Id">Its id; null for one that is not made yet.</param>
/// <param name="Ref">A name that its owner gives it, which stays when it is changed.</param>
/// <param name="Description">For people.</param>
/// <param name="Expression">Which requests it is about, in Cloudflare's rules language.</param>
/// <param name="Action">What it does.</param>
/// <param name="ActionParameters">How.</param>
/// <param name="Enabled">Whether it counts.</param>
internal sealed record Rule(string? Id, string? Ref, string? Description, string Expression, string Action, JsonObject? ActionParameters, bool Enabled);
