using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Cluster.Objects;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Edge.OriginTls;

/// <summary>
/// Cloudflare talks to the nodes over TLS and makes sure that it is them. The nodes first - key, certificate, Ingresses, proof on every
/// one - and Cloudflare after them, so that no visitor sees a 526; then, where it is wanted, the nodes make sure that it is Cloudflare.
/// </summary>
[ProvedBy("certificates; TLS by name and with client certificates, also asked by a node's openssl over SSH; objects in the sandbox's API", "Cloudflare's API, which checks every request against the published one; a listener for Traefik")]
internal sealed class OriginTlsControl(
    ControlCluster cluster,
    CloudflareConnector cloudflare,
    Func<OriginTlsSettings, ImmutableArray<Origin>> originsOf,
    EdgeVisitor visitor,
    TimeProvider time) : IControl
{
    private const string Strict = "strict";
    private const string Ssl = "ssl";
    private const string Automatic = "ssl_automatic_mode";
    private const string Custom = "custom";
    private const string PullsSetting = "origin_pulls";
    private const string KeyPrefix = "key-";
    private const int MostNames = 200;
    private const int PullsDays = 3650;

    // Traefik reads Secrets at once, Cloudflare carries settings to all its places within five minutes (its documentation).
    private static readonly TimeSpan NodesLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan EdgeLimit = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly GroupVersionKind IngressType = new("networking.k8s.io", "v1", "Ingress");

    /// <inheritdoc/>
    public string Name => "OriginTls";

    /// <inheritdoc/>
    public string Protects => "Between Cloudflare and the nodes nobody reads along or stands in for either.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Edge;

    private OriginTlsSettings? Settings => cluster.EnvironmentSettings.Edge?.OriginTls;

    private Finding NotConfigured => Finding.NotConfigured(Name, "edge.originTls");

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var survey = await SurveyAsync(settings, cancellationToken);
        var zone = await cloudflare.OpenAsync(cancellationToken);
        var findings = ImmutableArray.CreateBuilder<Finding>();
        findings.Add(Judge(survey));
        findings.AddRange(await survey.Objects.AuditAsync(survey.Desired(survey.Certificate, survey.Pulls), cancellationToken));
        var ssl = await zone.SettingAsync(Ssl, cancellationToken);
        findings.Add(ssl == Strict
            ? new(Name, zone.Name, ControlState.InPlace, "Cloudflare accepts the nodes' certificate alone", [$"ssl: {ssl}"])
            : new(Name, zone.Name, survey.Absence, $"ssl is {ssl}: Cloudflare takes any server for the nodes", [$"ssl: {ssl}"]));
        if (settings.OriginPulls != OriginPullMode.Off)
        {
            var isOn = await zone.HasOriginPullsAsync(cancellationToken) && await FindPullsAsync(zone, survey.Pulls, cancellationToken) is not null;
            findings.Add(new(
                Name, zone.Name, isOn ? ControlState.InPlace : survey.Absence, isOn ? "Cloudflare shows the nodes a certificate of this zone's" : "Cloudflare shows the nodes no certificate of this zone's", []));
        }

        return findings.ToImmutable();
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [];
        }

        var survey = await SurveyAsync(settings, cancellationToken);
        var zone = await cloudflare.OpenAsync(cancellationToken);
        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        if (survey.WhyNew is { } why)
        {
            changes.Add(new(survey.Target, $"have a certificate issued for {string.Join(", ", survey.Names)}: {why}"));
        }

        changes.AddRange(await survey.Objects.PlanAsync(survey.Desired(survey.Certificate, survey.Pulls), cancellationToken));
        if (await zone.SettingAsync(Ssl, cancellationToken) is not Strict and var ssl)
        {
            changes.Add(new(zone.Name, $"set ssl from {ssl} to {Strict}"));
        }

        if (settings.OriginPulls != OriginPullMode.Off && !await zone.HasOriginPullsAsync(cancellationToken))
        {
            changes.Add(new(zone.Name, "let Cloudflare show the nodes a certificate"));
        }

        return changes.ToImmutable();
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [];
        }

        var survey = await SurveyAsync(settings, cancellationToken);
        var zone = await cloudflare.OpenAsync(cancellationToken);
        await RefuseUncoveredAsync(survey, zone, cancellationToken);

        var certificate = await CertificateAsync(survey, zone, cancellationToken);
        var secret = survey.Builder.Secret(survey.Builder.CertificateKey, certificate);
        var pulls = settings.OriginPulls == OriginPullMode.Off ? null : survey.Pulls ?? KeyPair.NewClient($"Cloudflare for {zone.Name}", time.GetUtcNow(), PullsDays);
        var desired = survey.Desired(certificate, pulls);
        var ingresses = desired.Where(node => GroupVersionKind.Of(node) == IngressType).ToList();
        var changes = await survey.Objects.ApplyStageAsync([secret], cancellationToken);

        // What is asked of Cloudflare later must not be in the way of the certificate now.
        changes = changes.AddRange(await survey.Objects.ApplyStageAsync(
            pulls is null || survey.HasOptions ? ingresses : [.. survey.Ingresses.Select(ingress => survey.Builder.Ingress(ingress, asks: false))], cancellationToken));
        var ssl = await zone.SettingAsync(Ssl, cancellationToken);
        if (!changes.IsEmpty || ssl != Strict)
        {
            await ProveAsync(settings, survey, certificate, survey.HasOptions ? pulls : null, refuses: false, cancellationToken);
        }

        changes = changes.AddRange(await MakeStrictAsync(survey, zone, ssl, cancellationToken));
        if (pulls is not null)
        {
            changes = changes.AddRange(await AskCloudflareAsync(settings, survey, zone, certificate, pulls, cancellationToken));
        }

        changes = changes.AddRange(await survey.Objects.FinishAsync(desired, cancellationToken));
        return pulls is null ? changes.AddRange(await StopPullsAsync(survey.Journal, zone, survey.Pulls, cancellationToken)) : changes;
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var survey = await SurveyAsync(settings, cancellationToken);
        if (survey.Certificate is not { } certificate)
        {
            return [Judge(survey)];
        }

        var client = settings.OriginPulls == OriginPullMode.Off ? null : survey.Pulls;
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var origin in originsOf(settings))
        {
            var wrong = new List<string>();
            foreach (var host in survey.Hosts)
            {
                if (await WrongAsync(origin, host, certificate, client, settings.OriginPulls == OriginPullMode.Required, cancellationToken) is { } what)
                {
                    wrong.Add(what);
                }
            }

            findings.Add(wrong.Count == 0
                ? new(Name, origin.Name, ControlState.InPlace, $"it shows the certificate for {survey.Hosts.Length} hosts{(client is null ? "" : ", and refuses another client's")}", [.. survey.Hosts])
                : new(Name, origin.Name, ControlState.Missing, wrong[0], [.. wrong]));
        }

        foreach (var host in survey.Hosts)
        {
            var refusal = await AwaitAsync(() => visitor.RefusalAsync(host, cancellationToken), EdgeLimit, cancellationToken);
            findings.Add(refusal is null
                ? new(Name, host, ControlState.InPlace, "Cloudflare gets its answers with the nodes' certificate checked", [])
                : new(Name, host, ControlState.Drifted, $"a visitor gets {refusal}", []));
        }

        return findings.Count > 0 ? findings.ToImmutable() : [new(Name, "", ControlState.Unknown, "there is no origin and no host to ask", [])];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        if (await objects.JournalAsync(cancellationToken) is not { } journal)
        {
            return [];
        }

        if (cluster.EnvironmentSettings.Edge?.CloudflareZone is null)
        {
            // Cloudflare was left, perhaps because its API answers no more: the nodes must not wait for it.
            var nodes = await objects.RestoreAsync(key => key.Type == IngressType, cancellationToken);
            return [.. nodes, .. await objects.UndoAsync(cancellationToken), new("Cloudflare", "left as it is: deploy.yaml names no zone any more")];
        }

        // The other way round: Cloudflare stops insisting before the nodes lose the certificate, the nodes before Cloudflare loses its own.
        var api = await cluster.OpenAsync(cancellationToken);
        var builder = new OriginTlsObjects(api.Namespace, Settings ?? new());
        var zone = await cloudflare.OpenAsync(cancellationToken);
        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        foreach (var setting in new[] { Ssl, Automatic })
        {
            if (journal.Settings.GetValueOrDefault(setting) is { } former && await zone.SettingAsync(setting, cancellationToken) != former)
            {
                await zone.SetAsync(setting, former, cancellationToken);
                changes.Add(new(zone.Name, $"{setting} is {former} as before"));
            }
        }

        var certificate = OriginTlsObjects.PairOf(await api.GetAsync(builder.CertificateKey, cancellationToken));
        var pulls = OriginTlsObjects.PairOf(await api.GetAsync(builder.PullsKey, cancellationToken));
        changes.AddRange(await objects.RestoreAsync(key => key.Type == IngressType, cancellationToken));
        changes.AddRange(await objects.RestoreAsync(key => key.Type == OriginTlsObjects.OptionsType, cancellationToken));
        changes.AddRange(await StopPullsAsync(journal, zone, pulls, cancellationToken));

        // Only what was issued for a key of this control's: the Secret may hold again what was there before.
        foreach (var issued in await zone.OriginCertificatesAsync(cancellationToken))
        {
            if (certificate?.Is(issued.Certificate) == true && KeysOf(journal).Any(key => KeyPair.Fits(issued.Certificate, key)))
            {
                await zone.RevokeAsync(issued.Id, cancellationToken);
                changes.Add(new(zone.Name, $"origin certificate {issued.Id} revoked"));
            }
        }

        changes.AddRange(await objects.UndoAsync(cancellationToken));
        return changes.ToImmutable();
    }

    private async Task<Survey> SurveyAsync(OriginTlsSettings settings, CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var builder = new OriginTlsObjects(api.Namespace, settings);
        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var ingresses = (await api.ListAsync(IngressType, api.Namespace, null, cancellationToken)).Items.Where(ingress => HostNames.Of(ingress).Any()).ToImmutableArray();
        var hosts = HostNames.Of(ingresses).ToImmutableArray();
        var names = settings.Hostnames.IsDefaultOrEmpty ? hosts : settings.Hostnames;
        if (hosts.FirstOrDefault(host => !names.Any(name => HostNames.Covers(name, host))) is { } uncovered)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"OriginTls: edge.originTls.hostnames has no name for {uncovered}, which an Ingress of {api.Namespace} answers",
                "Add it, or a wildcard one level above it; without 'hostnames' the Ingresses' own hosts are taken.");
        }

        if (names.Length is 0 or > MostNames)
        {
            throw new K3sException(
                names.Length == 0 ? ExitCodes.Failed : ExitCodes.BadInput,
                $"OriginTls: a certificate has 1 to {MostNames} names, and this one would have {names.Length}",
                names.Length == 0 ? "Deploy the app first: the names are those of its Ingresses." : "Use wildcards in edge.originTls.hostnames.");
        }

        var certificate = OriginTlsObjects.PairOf(await api.GetAsync(builder.CertificateKey, cancellationToken));
        var pulls = OriginTlsObjects.PairOf(await api.GetAsync(builder.PullsKey, cancellationToken));
        var hasOptions = await api.FindResourceAsync(OriginTlsObjects.OptionsType, cancellationToken) is not null
            && await api.GetAsync(new(OriginTlsObjects.OptionsType, api.Namespace, OriginTlsObjects.Pulls), cancellationToken) is not null;
        return new(settings, builder, objects, await objects.JournalAsync(cancellationToken), ingresses, hosts, names, certificate, pulls?.Authority is null ? null : pulls, hasOptions, time.GetUtcNow());
    }

    private Finding Judge(Survey survey)
    {
        if (survey.Certificate is not { } certificate)
        {
            return new(Name, survey.Target, survey.Absence, "there is no certificate for the nodes", []);
        }

        var days = (certificate.NotAfter - survey.Now).TotalDays.ToString("0", CultureInfo.InvariantCulture);
        var evidence = ImmutableArray.Create($"names: {string.Join(", ", certificate.Names)}", $"ends: {certificate.NotAfter:yyyy-MM-dd}", $"serial: {certificate.Serial}");
        return survey.WhyNew is { } why
            ? new(Name, survey.Target, survey.Journal is null ? ControlState.Missing : ControlState.Drifted, $"the certificate has to be replaced: {why}", evidence)
            : new(Name, survey.Target, ControlState.InPlace, $"the certificate is valid for {days} more days", evidence);
    }

    /// <summary>With <c>strict</c> every proxied name needs a server whose certificate Cloudflare accepts.</summary>
    private async Task RefuseUncoveredAsync(Survey survey, CloudflareZone zone, CancellationToken cancellationToken)
    {
        var known = survey.Names.Concat(survey.Settings.ServedElsewhere.IsDefault ? [] : survey.Settings.ServedElsewhere).ToList();
        var open = (await zone.ProxiedRecordsAsync(cancellationToken)).Select(record => record.Name).Distinct(StringComparer.Ordinal)
            .Where(host => !known.Exists(name => HostNames.Covers(name, host))).Order(StringComparer.Ordinal).ToList();
        if (open.Count > 0)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"OriginTls: zone {zone.Name} would answer 526 for {string.Join(", ", open)}: proxied, and not in the certificate",
                "Add them to edge.originTls.hostnames if these nodes answer them, to servedElsewhere if other servers with a certificate of theirs do, or turn their proxy off.");
        }
    }

    /// <summary>
    /// The certificate that is there, or a new one. Its key is kept before it is asked for: a run that is cut off in between finds the
    /// certificate that was issued for it, instead of a second one.
    /// </summary>
    private static async Task<KeyPair> CertificateAsync(Survey survey, CloudflareZone zone, CancellationToken cancellationToken)
    {
        if (survey.Certificate is { } current && survey.WhyNew is null)
        {
            return current;
        }

        var slot = KeyPrefix + (survey.Certificate?.Serial ?? "first");
        var key = survey.Journal?.Settings.GetValueOrDefault(slot);
        if (key is null)
        {
            key = KeyPair.NewKey();
            await survey.Objects.RememberAsync([new(slot, key)], cancellationToken);
        }

        foreach (var known in await zone.OriginCertificatesAsync(cancellationToken))
        {
            if (KeyPair.Fits(known.Certificate, key) && survey.WhyReplace(new(known.Certificate, key)) is null)
            {
                return new(known.Certificate, key);
            }
        }

        var issued = await zone.IssueAsync(KeyPair.Request(key, survey.Names), survey.Names, survey.Settings.ValidDays, cancellationToken);
        return KeyPair.Fits(issued.Certificate, key)
            ? new(issued.Certificate, key)
            : throw new K3sException(ExitCodes.Failed, "Cloudflare: the certificate that it issued is for another key", "Harden again; revoke it at Cloudflare under SSL/TLS, Origin Server.");
    }

    private async Task<ImmutableArray<PlannedChange>> MakeStrictAsync(Survey survey, CloudflareZone zone, string ssl, CancellationToken cancellationToken)
    {
        var automatic = await zone.SettingAsync(Automatic, cancellationToken);
        if (ssl == Strict && automatic == Custom)
        {
            return [];
        }

        await survey.Objects.RememberAsync([new(Ssl, ssl), new(Automatic, automatic)], cancellationToken);
        if (automatic != Custom)
        {
            // Else Cloudflare may choose another mode by itself.
            await zone.SetAsync(Automatic, Custom, cancellationToken);
        }

        if (ssl != Strict)
        {
            await zone.SetAsync(Ssl, Strict, cancellationToken);
        }

        return [new(zone.Name, $"ssl is {Strict}, was {ssl}")];
    }

    private async Task<ImmutableArray<PlannedChange>> AskCloudflareAsync(
        OriginTlsSettings settings, Survey survey, CloudflareZone zone, KeyPair certificate, KeyPair pulls, CancellationToken cancellationToken)
    {
        var changes = await survey.Objects.ApplyStageAsync([survey.Builder.Secret(survey.Builder.PullsKey, pulls)], cancellationToken);
        if (await FindPullsAsync(zone, pulls, cancellationToken) is null)
        {
            await survey.Objects.RememberAsync([new(PullsSetting, await zone.HasOriginPullsAsync(cancellationToken) ? "on" : "off")], cancellationToken);
            await zone.UploadClientCertificateAsync(pulls.Certificate, pulls.Key, cancellationToken);
            changes = changes.Add(new(zone.Name, "Cloudflare has a certificate to show to the nodes"));
        }

        if (!await zone.HasOriginPullsAsync(cancellationToken))
        {
            await survey.Objects.RememberAsync([new(PullsSetting, "off")], cancellationToken);
            await zone.SetOriginPullsAsync(true, cancellationToken);
            changes = changes.Add(new(zone.Name, "Cloudflare shows it"));
        }

        if (await AwaitAsync(async () => await FindPullsAsync(zone, pulls, cancellationToken) is { Status: "active" } ? null : "not active", EdgeLimit, cancellationToken) is not null)
        {
            throw new K3sException(ExitCodes.Failed, $"Cloudflare: the certificate to show to the nodes of {zone.Name} is not deployed after {EdgeLimit.TotalMinutes:0} minutes", "Harden again later: the nodes do not ask for it yet.");
        }

        // First only whoever shows one is checked: a mistake here locks nobody out.
        var isRequired = settings.OriginPulls == OriginPullMode.Required;
        var asked = survey.Ingresses.Select(ingress => survey.Builder.Ingress(ingress, asks: true)).ToList();
        ImmutableArray<PlannedChange> stage = [];
        if (!survey.HasOptions || !isRequired)
        {
            stage = await survey.Objects.ApplyStageAsync([survey.Builder.Options(required: false), .. asked], cancellationToken);
            if (!stage.IsEmpty)
            {
                await ProveAsync(settings, survey, certificate, pulls, refuses: false, cancellationToken);
            }
        }

        changes = changes.AddRange(stage);
        if (!isRequired)
        {
            return changes;
        }

        stage = await survey.Objects.ApplyStageAsync([survey.Builder.Options(required: true), .. asked], cancellationToken);
        if (!stage.IsEmpty)
        {
            await ProveRequiredAsync(settings, survey, certificate, pulls, cancellationToken);
        }

        return changes.AddRange(stage);
    }

    private async Task ProveRequiredAsync(OriginTlsSettings settings, Survey survey, KeyPair certificate, KeyPair pulls, CancellationToken cancellationToken)
    {
        try
        {
            await ProveAsync(settings, survey, certificate, pulls, refuses: true, cancellationToken);
            foreach (var host in survey.Hosts)
            {
                if (await AwaitAsync(() => visitor.RefusalAsync(host, cancellationToken), NodesLimit, cancellationToken) is { } refusal)
                {
                    throw new K3sException(ExitCodes.Failed, $"{host}: a visitor gets {refusal}", "The nodes take connections without a certificate again; set originPulls to ifGiven and harden again.");
                }
            }
        }
        catch (K3sException)
        {
            await survey.Objects.ApplyStageAsync([survey.Builder.Options(required: false)], CancellationToken.None);
            throw;
        }
    }

    private async Task<ImmutableArray<PlannedChange>> StopPullsAsync(ControlJournal? journal, CloudflareZone zone, KeyPair? pulls, CancellationToken cancellationToken)
    {
        if (journal?.Settings.GetValueOrDefault(PullsSetting) is not { } former)
        {
            return [];
        }

        var changes = ImmutableArray<PlannedChange>.Empty;
        if (former == "off" && await zone.HasOriginPullsAsync(cancellationToken))
        {
            await zone.SetOriginPullsAsync(false, cancellationToken);
            changes = [new(zone.Name, "Cloudflare shows the nodes no certificate, as before")];
        }

        if (await FindPullsAsync(zone, pulls, cancellationToken) is { } uploaded)
        {
            await zone.DeleteClientCertificateAsync(uploaded.Id, cancellationToken);
            changes = changes.Add(new(zone.Name, "Cloudflare's certificate for the nodes deleted"));
        }

        return changes;
    }

    private static async Task<ClientCertificate?> FindPullsAsync(CloudflareZone zone, KeyPair? pulls, CancellationToken cancellationToken) => pulls is null
        ? null
        : (await zone.ClientCertificatesAsync(cancellationToken)).FirstOrDefault(known => pulls.Is(known.Certificate) && known.Status is not ("pending_deletion" or "deleted"));

    private async Task ProveAsync(OriginTlsSettings settings, Survey survey, KeyPair certificate, KeyPair? client, bool refuses, CancellationToken cancellationToken)
    {
        foreach (var origin in originsOf(settings))
        {
            foreach (var host in survey.Hosts)
            {
                if (await AwaitAsync(() => WrongAsync(origin, host, certificate, client, refuses, cancellationToken), NodesLimit, cancellationToken) is { } wrong)
                {
                    throw new K3sException(
                        ExitCodes.Failed,
                        $"OriginTls: {origin.Name}: {wrong}",
                        "Cloudflare was not told to insist on it. See that Traefik runs there and answers port 443, then harden again.");
                }
            }
        }
    }

    private static async Task<string?> WrongAsync(Origin origin, string host, KeyPair certificate, KeyPair? client, bool refuses, CancellationToken cancellationToken)
    {
        var answer = await origin.AskAsync(host, client, cancellationToken);
        if (!answer.IsAccepted)
        {
            return $"no TLS for {host}: {answer.Detail}";
        }

        if (!certificate.Is(answer.Certificate))
        {
            return $"it shows another certificate for {host}";
        }

        if (client is null)
        {
            return null;
        }

        var stranger = KeyPair.NewClient("stranger", DateTimeOffset.UtcNow, 1);
        return (await origin.AskAsync(host, stranger, cancellationToken)).IsAccepted ? $"it takes a stranger's certificate for {host}"
            : refuses && (await origin.AskAsync(host, null, cancellationToken)).IsAccepted ? $"it takes a connection without a certificate for {host}"
            : null;
    }

    /// <summary>Asks again until nothing is wrong, or the time is up.</summary>
    /// <returns>What is wrong still.</returns>
    private Task<string?> AwaitAsync(Func<Task<string?>> wrong, TimeSpan limit, CancellationToken cancellationToken) =>
        RepeatedLook.UntilAsync(wrong, what => what is null, limit, Pause, time, cancellationToken);

    private static IEnumerable<string> KeysOf(ControlJournal journal) =>
        journal.Settings.Where(setting => setting.Key.StartsWith(KeyPrefix, StringComparison.Ordinal)).Select(setting => setting.Value).OfType<string>();

    /// <summary>What is in the cluster.</summary>
    private sealed record Survey(
        OriginTlsSettings Settings,
        OriginTlsObjects Builder,
        ControlledObjects Objects,
        ControlJournal? Journal,
        ImmutableArray<JsonObject> Ingresses,
        ImmutableArray<string> Hosts,
        ImmutableArray<string> Names,
        KeyPair? Certificate,
        KeyPair? Pulls,
        bool HasOptions,
        DateTimeOffset Now)
    {
        /// <summary>The Secret, for people.</summary>
        public string Target => $"{Builder.CertificateKey.Namespace}/{Builder.CertificateKey.Name}";

        /// <summary>The state of what is not there.</summary>
        public ControlState Absence => Journal switch { null => ControlState.Missing, { IsComplete: false } => ControlState.Unfinished, _ => ControlState.Drifted };

        /// <summary>Why a new certificate is needed; null where the one that is there does.</summary>
        public string? WhyNew => Certificate is { } certificate ? WhyReplace(certificate) : "there is none";

        /// <summary>Why a certificate does not do; null where it does.</summary>
        public string? WhyReplace(KeyPair certificate)
        {
            var names = certificate.Names;
            return Names.FirstOrDefault(name => !names.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } missing ? $"it is not for {missing}"
                : certificate.NotAfter - Now < TimeSpan.FromDays(Math.Min(Settings.RenewDays, Settings.ValidDays - 1)) ? $"it ends on {certificate.NotAfter:yyyy-MM-dd}"
                : null;
        }

        /// <summary>All objects as they should be.</summary>
        public ImmutableArray<JsonObject> Desired(KeyPair? certificate, KeyPair? pulls) => Builder.All(
            Ingresses, certificate, pulls, Settings.OriginPulls == OriginPullMode.Off ? null : Settings.OriginPulls == OriginPullMode.Required);
    }
}
