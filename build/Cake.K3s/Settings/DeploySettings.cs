using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>deploy.yaml, read and checked. All paths are as written, relative to the directory of deploy.yaml.</summary>
public sealed record DeploySettings
{
    /// <summary>The app's name: lower case, digits and dashes; names its releases in the cluster.</summary>
    [Pattern(PatternAttribute.DnsLabel, PatternAttribute.DnsLabelMeaning)]
    public required string App { get; init; }

    /// <summary>The environment that is used when <c>--environment</c> is not given.</summary>
    public string DefaultEnvironment { get; init; } = "sandbox";

    /// <summary>The images that are built, by name; manifests say <c>image: NAME</c>.</summary>
    [Pattern(PatternAttribute.ImageName, PatternAttribute.ImageNameMeaning)]
    public required ImmutableDictionary<string, ImageSettings> Images { get; init; }

    /// <summary>The folder (or folders) of manifests; an environment may name its own.</summary>
    public ImmutableArray<string> Manifests { get; init; } = ["manifests/app"];

    /// <summary>What Lint and Test run.</summary>
    public CheckSettings Checks { get; init; } = new();

    /// <summary>How the database schema is migrated; null for an app that has none.</summary>
    public MigrationSettings? Migration { get; init; }

    /// <summary>How images are signed.</summary>
    public SigningSettings Signing { get; init; } = new();

    /// <summary>How many releases are kept and how a rollout is judged.</summary>
    public RolloutSettings Rollout { get; init; } = new();

    /// <summary>What Gitea or GitHub is told of a run in one of its jobs that has a token.</summary>
    public ForgeSettings Forge { get; init; } = new();

    /// <summary>Where runs send OpenTelemetry spans.</summary>
    public TelemetrySettings Telemetry { get; init; } = new();

    /// <summary>Where the app is deployed to, by name.</summary>
    [Pattern(PatternAttribute.DnsLabel, PatternAttribute.DnsLabelMeaning)]
    public required ImmutableDictionary<string, EnvironmentSettings> Environments { get; init; }

    /// <summary>Absolute path of deploy.yaml; set by the reader.</summary>
    [NotInFile]
    public string File { get; init; } = "";

    /// <summary>Absolute path of the directory of deploy.yaml.</summary>
    [NotInFile]
    public string Root => Path.GetDirectoryName(File) ?? "";
}

/// <summary>One image.</summary>
public sealed record ImageSettings
{
    /// <summary>The build context's directory.</summary>
    public required string Context { get; init; }

    /// <summary>The Dockerfile, relative to the context.</summary>
    public string Dockerfile { get; init; } = "Dockerfile";

    /// <summary>The build stage to stop at; null for the last.</summary>
    public string? Target { get; init; }

    /// <summary>Build arguments by name.</summary>
    public ImmutableDictionary<string, string> Arguments { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>
    /// Build secrets by the id that <c>RUN --mount=type=secret,id=ID</c> names. They are no part of the image nor of its content key.
    /// </summary>
    [Pattern("^[a-zA-Z0-9_.-]+$", "letters, digits, underscores, dots and dashes")]
    public ImmutableDictionary<string, SecretSource> Secrets { get; init; } = ImmutableDictionary<string, SecretSource>.Empty;

    /// <summary>A command run in the context before the build, e.g. <c>dotnet publish -o out</c>; null for none. A shell reads it.</summary>
    public string? Prepare { get; init; }

    /// <summary>
    /// Files that <see cref="Prepare"/> reads, as globs relative to the context; when none of them changed since the last build,
    /// the command is skipped. Empty: every file of the context that git does not ignore.
    /// </summary>
    public ImmutableArray<string> Sources { get; init; } = [];
}

/// <summary>What Lint and Test run, beside the library's own checks. A shell reads each command.</summary>
public sealed record CheckSettings
{
    /// <summary>Commands of the Lint task.</summary>
    public ImmutableArray<CheckCommand> Lint { get; init; } = [];

    /// <summary>Commands of the Test task.</summary>
    public ImmutableArray<CheckCommand> Test { get; init; } = [];
}

/// <summary>
/// One command of Lint or Test: plain text, or a mapping that also names what it depends on. It is skipped while neither it nor
/// its sources changed since it last passed.
/// </summary>
[ShortForm(nameof(Run))]
public sealed record CheckCommand
{
    /// <summary>The command, run in the directory of deploy.yaml. A shell reads it.</summary>
    public required string Run { get; init; }

    /// <summary>
    /// Files that it reads, as globs relative to the directory of deploy.yaml. Empty: every file there that git does not ignore.
    /// </summary>
    public ImmutableArray<string> Sources { get; init; } = [];
}

/// <summary>How the database schema is migrated.</summary>
public sealed record MigrationSettings
{
    /// <summary>The manifest file of the Job that migrates, inside the manifests' folder; it is not applied with the rest.</summary>
    public required string Job { get; init; }

    /// <summary>How long the migration may take.</summary>
    public Duration Timeout { get; init; } = Duration.FromMinutes(10);

    /// <summary>
    /// Whether the releases before this one can live with the schema that the migration leaves. After <see cref="SchemaChange.Contract"/>
    /// no rollback goes back across it.
    /// </summary>
    public SchemaChange Change { get; init; } = SchemaChange.Expand;
}

/// <summary>What a migration does to the schema, seen from the release before it.</summary>
public enum SchemaChange
{
    /// <summary>Adds only: the release before it works on the new schema, as it must while pods are replaced one by one.</summary>
    Expand,

    /// <summary>Removes or changes what older releases use.</summary>
    Contract,
}

/// <summary>How images are signed.</summary>
public sealed record SigningSettings
{
    /// <summary>cosign's key reference: a file's path, <c>env://NAME</c>, <c>hashivault://NAME</c> or a KMS address.</summary>
    [Pattern("^((?!.*://).+|(env|hashivault|awskms|gcpkms|azurekms|k8s)://.+)$", "a file's path, env://NAME, hashivault://NAME, awskms://…, gcpkms://…, azurekms://… or k8s://NAMESPACE/NAME")]
    public string? PrivateKey { get; init; }

    /// <summary>The public key's file, checked in.</summary>
    public string PublicKey { get; init; } = "cosign.pub";

    /// <summary>Where the private key's password comes from; null for a key without one.</summary>
    public SecretSource? Password { get; init; }

    /// <summary>How signatures and statements are kept in the registry. An image keeps the form that it was first signed in.</summary>
    public SignatureForm Form { get; init; }
}

/// <summary>How signatures and statements are kept in a registry.</summary>
public enum SignatureForm
{
    /// <summary>cosign's tags <c>.sig</c> and <c>.att</c>: every registry holds them, and every Kyverno from 1.13 on reads them with a key.</summary>
    Legacy,

    /// <summary>
    /// Sigstore bundles that refer to the image, as cosign 3 makes them by default: for registries and admission controllers
    /// that expect these alone. cosign 2 does not read them.
    /// </summary>
    Bundle,
}

/// <summary>How many releases are kept and how a rollout is judged.</summary>
public sealed record RolloutSettings
{
    /// <summary>How many release records are kept in the cluster.</summary>
    [Between(1, 1000)]
    public int Keep { get; init; } = 20;

    /// <summary>How long a rollout may take before it counts as failed; progress does not extend it.</summary>
    public Duration Deadline { get; init; } = Duration.FromMinutes(5);

    /// <summary>Whether a failed rollout is followed by the last good release.</summary>
    public bool RollBack { get; init; } = true;
}

/// <summary>What Gitea or GitHub is told of a run in one of its jobs. The job's token is <c>GITEA_TOKEN</c> or <c>GITHUB_TOKEN</c>; without one nothing is told.</summary>
public sealed record ForgeSettings
{
    /// <summary>Sets a commit status for each task, and one for the whole.</summary>
    public bool Statuses { get; init; } = true;

    /// <summary>Writes the plan as a comment into the pull request; a later plan replaces it.</summary>
    public bool Comments { get; init; } = true;

    /// <summary>Makes a release with notes for each verified release of an environment with a cluster, tagged <c>ENVIRONMENT-NUMBER</c>.</summary>
    public bool Releases { get; init; } = true;
}

/// <summary>Somebody who is told how a run ended that deploys, rolls back, hardens or audits an environment.</summary>
[ExactlyOneOf(nameof(Slack), nameof(Webhook), nameof(Email))]
public sealed record NotificationSettings
{
    /// <summary>The address of an incoming webhook of Slack, or of what takes its messages (Mattermost, Discord with <c>/slack</c>). It is a secret.</summary>
    public SecretSource? Slack { get; init; }

    /// <summary>An address that is sent the outcome as JSON.</summary>
    public WebhookSettings? Webhook { get; init; }

    /// <summary>A mail.</summary>
    public EmailSettings? Email { get; init; }

    /// <summary>The outcomes that are told; empty for every one.</summary>
    public ImmutableArray<RunOutcome> On { get; init; } = [];
}

/// <summary>How a run ended.</summary>
public enum RunOutcome
{
    /// <summary>All that was asked for is done.</summary>
    Success,

    /// <summary>It failed, or did not start.</summary>
    Failure,

    /// <summary>The rollout failed, and the last good release was put back.</summary>
    RolledBack,

    /// <summary>Somebody ended it.</summary>
    Cancelled,
}

/// <summary>An address that is sent the outcome of a run as JSON, by POST.</summary>
public sealed record WebhookSettings
{
    /// <summary>The address.</summary>
    [Pattern("^https?://[^ ]+$", "an address that begins with https://")]
    public required string Address { get; init; }

    /// <summary>Sent as <c>Authorization: Bearer</c>; null for none.</summary>
    public SecretSource? Token { get; init; }
}

/// <summary>Mail through an SMTP server.</summary>
public sealed record EmailSettings
{
    /// <summary>The server's host name.</summary>
    public required string Server { get; init; }

    /// <summary>Its port: 465 speaks TLS from the start, every other one is asked to begin it.</summary>
    [Between(1, 65535)]
    public int Port { get; init; } = 465;

    /// <summary>Sends though the server does not offer TLS, e.g. one on this machine.</summary>
    public bool Insecure { get; init; }

    /// <summary>The user; null for a server that asks for none.</summary>
    public string? User { get; init; }

    /// <summary>Where the user's password comes from.</summary>
    public SecretSource? Password { get; init; }

    /// <summary>The sender's address.</summary>
    [Pattern("^[^@ ]+@[^@ ]+$", "a mail address")]
    public required string From { get; init; }

    /// <summary>The receivers' addresses.</summary>
    public required ImmutableArray<string> To { get; init; }
}

/// <summary>One place that the app is deployed to: the embedded sandbox, or a cluster with a registry.</summary>
[ExactlyOneOf(nameof(Sandbox), nameof(Cluster))]
public sealed record EnvironmentSettings
{
    /// <summary>The name: its key in deploy.yaml.</summary>
    [NotInFile]
    public string Name { get; init; } = "";

    /// <summary>Set for the embedded sandbox; then neither <see cref="Cluster"/> nor <see cref="Registry"/> is.</summary>
    public SandboxSettings? Sandbox { get; init; }

    /// <summary>The cluster; required where <see cref="Sandbox"/> is not set.</summary>
    public ClusterSettings? Cluster { get; init; }

    /// <summary>The registry; required where <see cref="Sandbox"/> is not set.</summary>
    public RegistrySettings? Registry { get; init; }

    /// <summary>The namespace; the app's name by default.</summary>
    [Pattern(PatternAttribute.DnsLabel, PatternAttribute.DnsLabelMeaning)]
    public string? Namespace { get; init; }

    /// <summary>Folders of manifests, instead of <see cref="DeploySettings.Manifests"/>; empty for those.</summary>
    public ImmutableArray<string> Manifests { get; init; } = [];

    /// <summary>Build arguments by image, added to those of the image's settings.</summary>
    public ImmutableDictionary<string, ImmutableDictionary<string, string>> Arguments { get; init; } =
        ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty;

    /// <summary>Values for <c>${NAME}</c> in manifests.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public ImmutableDictionary<string, string> Variables { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Secret values for <c>${NAME}</c> in Secret manifests, by where they come from.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public ImmutableDictionary<string, SecretSource> Secrets { get; init; } = ImmutableDictionary<string, SecretSource>.Empty;

    /// <summary>The signing key of this environment; <see cref="DeploySettings.Signing"/> where it is not set.</summary>
    public SigningSettings? Signing { get; init; }

    /// <summary>Who is told how a run of this environment ended.</summary>
    public ImmutableArray<NotificationSettings> Notifications { get; init; } = [];

    /// <summary>The nodes, for hardening.</summary>
    public ImmutableArray<NodeSettings> Nodes { get; init; } = [];

    /// <summary>What the hardening controls aim at.</summary>
    public HardeningSettings Hardening { get; init; } = new();

    /// <summary>What stands in front of the nodes, for hardening; null for nothing.</summary>
    public EdgeSettings? Edge { get; init; }

    /// <summary>Backups of the database; null for none.</summary>
    public BackupSettings? Backup { get; init; }

    /// <summary>Who looks whether the app answers; null for nobody.</summary>
    public UptimeSettings? Uptime { get; init; }

    /// <summary>
    /// Other environments that get the release of this one after it, in this order, each verified before the next; their images come from
    /// the same registry.
    /// </summary>
    public ImmutableArray<string> Regions { get; init; } = [];

    /// <summary>What ScalingReport reads.</summary>
    public ScalingSettings Scaling { get; init; } = new();
}

/// <summary>The embedded sandbox. Ports are of 127.0.0.1; 0 picks a free one, which is kept.</summary>
public sealed record SandboxSettings
{
    /// <summary>The port that Ingress hosts answer on.</summary>
    [Between(0, 65535)]
    public int IngressPort { get; init; } = 8080;

    /// <summary>The Kubernetes API's port.</summary>
    [Between(0, 65535)]
    public int ApiPort { get; init; } = 0;

    /// <summary>The registry's port.</summary>
    [Between(0, 65535)]
    public int RegistryPort { get; init; } = 0;
}

/// <summary>A cluster that is reached through a kubeconfig.</summary>
public sealed record ClusterSettings
{
    /// <summary>The kubeconfig's path; <c>~</c> is the home directory.</summary>
    public required string Kubeconfig { get; init; }

    /// <summary>The context in it; its current one by default.</summary>
    public string? Context { get; init; }
}

/// <summary>A container registry. Credentials come from Docker's configuration (<c>docker login</c>).</summary>
public sealed record RegistrySettings
{
    /// <summary>Host and path that image names are put behind, e.g. <c>gitea.example.com/me/honeydue</c>.</summary>
    [Pattern("^[a-zA-Z0-9.-]+(:[0-9]+)?(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$", "a host and a path without a scheme, such as gitea.example.com/me/honeydue")]
    public required string Address { get; init; }

    /// <summary>Plain HTTP instead of HTTPS.</summary>
    public bool Insecure { get; init; }

    /// <summary>
    /// Where builds keep their cache, with all stages: <c>true</c> for the repository <c>cache</c> beside the images, or another
    /// repository's reference without tag; null for nowhere. The builder must be able to export one.
    /// </summary>
    [Pattern("^(true|false|[a-zA-Z0-9.-]+(:[0-9]+)?(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+)$", "true, false, or a repository such as gitea.example.com/me/cache")]
    public string? Cache { get; init; }

    /// <summary>A file with the certificate of the registry's own authority (PEM), trusted beside the system's; null for none.</summary>
    public string? CertificateAuthority { get; init; }
}

/// <summary>Where a secret comes from: exactly one of the members is set.</summary>
[ExactlyOneOf(nameof(Variable), nameof(File), nameof(Command), nameof(Sandbox))]
public sealed record SecretSource
{
    /// <summary>An environment variable's name.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public string? Variable { get; init; }

    /// <summary>A file's path; one line end at its end is dropped.</summary>
    public string? File { get; init; }

    /// <summary>A command whose standard output is the secret; one line end at its end is dropped. A shell reads it.</summary>
    public string? Command { get; init; }

    /// <summary>A service of the sandbox whose address it is; only in a sandbox environment.</summary>
    public SandboxService? Sandbox { get; init; }
}

/// <summary>Services outside the cluster that the sandbox stands in for.</summary>
public enum SandboxService
{
    /// <summary>A real PostgreSQL; the secret is a URL, <c>postgres://user:password@host:port/database</c>.</summary>
    Postgres,
}

/// <summary>One node of the cluster, reached over SSH.</summary>
public sealed record NodeSettings
{
    /// <summary>The node's name in Kubernetes.</summary>
    public required string Name { get; init; }

    /// <summary>Host name or address, or an alias from ~/.ssh/config.</summary>
    public required string Host { get; init; }

    /// <summary>The SSH port; ~/.ssh/config decides where it is not set.</summary>
    [Between(1, 65535)]
    public int? Port { get; init; }

    /// <summary>The SSH user; ~/.ssh/config decides where it is not set.</summary>
    public string? User { get; init; }

    /// <summary>
    /// The addresses that the other nodes see it by, for their firewalls, public and private; <see cref="Host"/> where it is an address
    /// and nothing is set.
    /// </summary>
    public ImmutableArray<string> Addresses { get; init; } = [];
}

/// <summary>What the hardening controls aim at.</summary>
public sealed record HardeningSettings
{
    /// <summary>
    /// Addresses and ranges that operators come from, e.g. <c>198.51.100.7</c> or <c>2001:db8::/48</c>: never banned, and allowed to SSH
    /// and to the Kubernetes API where the firewall closes both to others.
    /// </summary>
    public ImmutableArray<string> Operators { get; init; } = [];

    /// <summary>The port that SSH moves to; null where it stays.</summary>
    [Between(1, 65535)]
    public int? SshPort { get; init; }

    /// <summary>Whether operators tunnel through SSH, e.g. to the Kubernetes API; SshPolicy forbids it where they do not.</summary>
    public bool SshForwarding { get; init; } = true;

    /// <summary>The SSH client's configuration; the user's own (~/.ssh/config) where it is not set.</summary>
    public string? SshConfig { get; init; }

    /// <summary>After this long a node takes a change back that could lock the operator out, unless a new login has proved it.</summary>
    public Duration UndoAfter { get; init; } = Duration.FromMinutes(2);

    /// <summary>
    /// Whether the pods' network between nodes goes over WireGuard. All nodes must be servers of K3s and in <c>nodes</c>; the pods' network
    /// is interrupted for the time that K3s takes to restart on each of them, one after the other.
    /// </summary>
    public bool WireGuard { get; init; }

    /// <summary>The private network of Hetzner's that pods of different nodes reach each other over; null for the nodes' own addresses.</summary>
    public PrivateNetworkSettings? PrivateNetwork { get; init; }

    /// <summary>Who reboots nodes and upgrades K3s, and when; null for nobody.</summary>
    public RebootSettings? Reboots { get; init; }

    /// <summary>The cluster's addresses of pods; K3s' own default where it is not set.</summary>
    public string PodRange { get; init; } = "10.42.0.0/16";

    /// <summary>The cluster's addresses of services; K3s' own default where it is not set.</summary>
    public string ServiceRange { get; init; } = "10.43.0.0/16";

    /// <summary>Who may connect to whom in the app's namespace; null leaves everything open.</summary>
    public NetworkPolicySettings? NetworkPolicies { get; init; }

    /// <summary>Which images the app's namespace takes; null for any.</summary>
    public SignedImagesSettings? SignedImages { get; init; }

    /// <summary>The Redis that gets a password; null for none.</summary>
    public RedisPasswordSettings? RedisPassword { get; init; }

    /// <summary>Security headers and limits of rate in front of the app; null for none.</summary>
    public TraefikMiddlewareSettings? TraefikMiddleware { get; init; }

    /// <summary>Prometheus, Alertmanager and Grafana in the cluster; null for none.</summary>
    public ObservabilitySettings? Monitoring { get; init; }

    /// <summary>Loki and Alloy, which keep what containers log; null for none.</summary>
    public ObservabilitySettings? Logs { get; init; }

    /// <summary>An OpenTelemetry collector and Tempo, which keep spans; null for none.</summary>
    public ObservabilitySettings? Tracing { get; init; }

    /// <summary>The Vault that the app's Secrets follow; null for none.</summary>
    public ExternalSecretsSettings? ExternalSecrets { get; init; }
}
