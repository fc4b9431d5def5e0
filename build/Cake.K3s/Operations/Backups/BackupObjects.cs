using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Backups;

/// <summary>The objects in the cluster that make backups, and those that restore one. Builds them; applies nothing.</summary>
/// <param name="app">The app's name.</param>
/// <param name="ns">Its namespace.</param>
/// <param name="settings">The environment's backups.</param>
/// <param name="image">The image, as the cluster pulls it.</param>
internal sealed class BackupObjects(string app, string ns, BackupSettings settings, string image)
{
    /// <summary>The label of a restore's Job.</summary>
    public const string AimLabel = "cake.k3s/restore";

    private const int User = 1654;

    // A dump that takes longer has stopped.
    private const int LimitSeconds = 2 * 60 * 60;

    /// <summary>The CronJob's name, and that of what it reads.</summary>
    public string Name => app + "-backup";

    /// <summary>What stands before the names of backups.</summary>
    public string Prefix => settings.Storage.PrefixOf(app);

    private string Scripts => Name + "-scripts";

    private string Credentials => Name + "-credentials";

    /// <summary>The schedule and all that it reads, in the order in which they are applied.</summary>
    /// <param name="database">libpq's variables of the database.</param>
    /// <param name="writer">The key that uploads.</param>
    public ImmutableArray<JsonObject> Schedule(ImmutableSortedDictionary<string, string> database, StorageKey writer) =>
    [
        WayOut(Name, database),
        ScriptsMap(),
        Secret(Credentials, database, ("curl", writer.ToCurlConfiguration(settings.Storage.Region))),
        new()
        {
            ["apiVersion"] = "batch/v1",
            ["kind"] = "CronJob",
            ["metadata"] = Metadata(Name),
            ["spec"] = new JsonObject
            {
                ["schedule"] = settings.Schedule,
                ["timeZone"] = "Etc/UTC",
                ["concurrencyPolicy"] = "Forbid",
                ["startingDeadlineSeconds"] = 3600,
                ["successfulJobsHistoryLimit"] = 3,
                ["failedJobsHistoryLimit"] = 3,
                ["jobTemplate"] = new JsonObject { ["spec"] = JobSpec("backup.sh", Credentials, database.Keys, retries: 2) },
            },
        },
    ];

    /// <summary>A Job that makes a backup now, as the schedule would.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cronJob">The CronJob as it is in the cluster.</param>
    public static JsonObject JobOf(string name, JsonObject cronJob)
    {
        var metadata = cronJob["metadata"]!;
        return new()
        {
            ["apiVersion"] = "batch/v1",
            ["kind"] = "Job",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = metadata["namespace"]!.DeepClone(),
                // As kubectl create job --from does: seen as one of the CronJob's, and cleaned up with it.
                ["annotations"] = new JsonObject { ["cronjob.kubernetes.io/instantiate"] = "manual" },
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = "batch/v1",
                    ["kind"] = "CronJob",
                    ["name"] = metadata["name"]!.DeepClone(),
                    ["uid"] = metadata["uid"]!.DeepClone(),
                    ["controller"] = true,
                }),
            },
            ["spec"] = cronJob["spec"]!["jobTemplate"]!["spec"]!.DeepClone(),
        };
    }

    /// <summary>A suspended Job that restores a backup. What it reads is made after it, and goes with it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="aim">What <see cref="AimOf"/> says.</param>
    /// <param name="backup">The backup.</param>
    /// <param name="variables">The names of libpq's variables of the database.</param>
    /// <param name="drill">The database of its own that it makes and drops; null to restore into the empty one that it is given.</param>
    public JsonObject RestoreJob(string name, string aim, BackupName backup, IEnumerable<string> variables, string? drill)
    {
        var spec = JobSpec("restore.sh", name, variables, retries: 0);
        spec["suspend"] = true;
        spec["ttlSecondsAfterFinished"] = 300;
        var environment = spec["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray();
        environment.Add(Variable("RESTORE_NAME", backup.ToString()));
        if (drill is not null)
        {
            environment.Add(Variable("RESTORE_DRILL", drill));
        }

        spec["template"]!["spec"]!["volumes"]![0]!["configMap"]!["name"] = name;
        var metadata = Metadata(name);
        metadata["labels"]![AimLabel] = aim;
        return new() { ["apiVersion"] = "batch/v1", ["kind"] = "Job", ["metadata"] = metadata, ["spec"] = spec };
    }

    /// <summary>What a restore brings where, as the value of <see cref="AimLabel"/>.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="database">libpq's variables of the database.</param>
    /// <param name="isDrill">Whether it goes into a database of its own there.</param>
    public static string AimOf(BackupName backup, ImmutableSortedDictionary<string, string> database, bool isDrill)
    {
        var text = string.Join('\n', backup, database["PGHOST"], database["PGPORT"], database["PGDATABASE"], isDrill ? "drill" : "");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    /// <summary>What a Job of <see cref="RestoreJob"/> reads.</summary>
    /// <param name="name">The Job's name.</param>
    /// <param name="database">libpq's variables of the database.</param>
    /// <param name="reader">The key that downloads.</param>
    /// <param name="identity">The age identity.</param>
    public ImmutableArray<JsonObject> RestoreInput(string name, ImmutableSortedDictionary<string, string> database, StorageKey reader, Secret identity)
    {
        var scripts = ScriptsMap();
        scripts["metadata"] = Metadata(name);
        return [WayOut(name, database), scripts, Secret(name, database, ("curl", reader.ToCurlConfiguration(settings.Storage.Region)), ("identity", identity.Reveal()))];
    }

    // Its pods reach the database and the bucket also where everything is denied by default, and nothing else anywhere.
    private JsonObject WayOut(string name, ImmutableSortedDictionary<string, string> database) => new()
    {
        ["apiVersion"] = "networking.k8s.io/v1",
        ["kind"] = "NetworkPolicy",
        ["metadata"] = Metadata(name),
        ["spec"] = new JsonObject
        {
            ["podSelector"] = new JsonObject { ["matchLabels"] = Labels() },
            ["policyTypes"] = new JsonArray("Egress"),
            ["egress"] = new JsonArray(new JsonObject
            {
                ["ports"] = new JsonArray(
                    Port("UDP", 53),
                    Port("TCP", 53),
                    Port("TCP", int.Parse(database["PGPORT"], CultureInfo.InvariantCulture)),
                    Port("TCP", new Uri(settings.Storage.Endpoint).Port)),
            }),
        },
    };

    private static JsonObject Port(string protocol, int port) => new() { ["protocol"] = protocol, ["port"] = port };

    private JsonObject ScriptsMap() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = Metadata(Scripts),
        ["data"] = BackupScripts.ConfigMapData(),
    };

    private JsonObject Secret(string name, ImmutableSortedDictionary<string, string> variables, params ReadOnlySpan<(string Name, string Value)> files)
    {
        var data = new JsonObject();
        foreach (var (key, value) in variables)
        {
            data[key] = Encode(value);
        }

        foreach (var (key, value) in files)
        {
            data[key] = Encode(value);
        }

        return new() { ["apiVersion"] = "v1", ["kind"] = "Secret", ["metadata"] = Metadata(name), ["type"] = "Opaque", ["data"] = data };
    }

    private JsonObject JobSpec(string script, string credentials, IEnumerable<string> variables, int retries) => new()
    {
        ["backoffLimit"] = retries,
        ["activeDeadlineSeconds"] = LimitSeconds,
        ["template"] = new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = Labels() },
            ["spec"] = new JsonObject
            {
                ["restartPolicy"] = "Never",
                ["automountServiceAccountToken"] = false,
                ["enableServiceLinks"] = false,
                ["securityContext"] = RestrictedSecurity.Pod(User),
                ["volumes"] = new JsonArray(
                    new JsonObject { ["name"] = "scripts", ["configMap"] = new JsonObject { ["name"] = Scripts } },
                    new JsonObject
                    {
                        ["name"] = "credentials",
                        ["secret"] = new JsonObject { ["secretName"] = credentials, ["defaultMode"] = 288 },
                    },
                    new JsonObject { ["name"] = "scratch", ["emptyDir"] = new JsonObject() }),
                ["containers"] = new JsonArray(new JsonObject
                {
                    ["name"] = "backup",
                    ["image"] = image,
                    ["command"] = new JsonArray("sh", "/scripts/" + script),
                    ["env"] = new JsonArray(
                    [
                        Variable("BACKUP_BUCKET", $"{settings.Storage.Endpoint}/{settings.Storage.Bucket}"),
                        Variable("BACKUP_PREFIX", Prefix),
                        Variable("BACKUP_RECIPIENT", settings.Recipient),
                        .. variables.Select(variable => SecretVariable(variable, credentials)),
                    ]),
                    ["volumeMounts"] = new JsonArray(Mount("scripts", readOnly: true), Mount("credentials", readOnly: true), Mount("scratch", readOnly: false)),
                    ["resources"] = new JsonObject
                    {
                        ["requests"] = new JsonObject { ["cpu"] = "50m", ["memory"] = "64Mi" },
                        ["limits"] = new JsonObject { ["memory"] = "512Mi" },
                    },
                    ["securityContext"] = RestrictedSecurity.Container(),
                    ["terminationMessagePolicy"] = "FallbackToLogsOnError",
                }),
            },
        },
    };

    private JsonObject Metadata(string name) => new() { ["name"] = name, ["namespace"] = ns, ["labels"] = Labels() };

    private JsonObject Labels() => new() { ["app.kubernetes.io/name"] = Name, ["app.kubernetes.io/part-of"] = app };

    private static JsonObject Variable(string name, string value) => new() { ["name"] = name, ["value"] = value };

    private static JsonObject SecretVariable(string name, string secret) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject { ["secretKeyRef"] = new JsonObject { ["name"] = secret, ["key"] = name } },
    };

    private static JsonObject Mount(string volume, bool readOnly) =>
        new() { ["name"] = volume, ["mountPath"] = "/" + volume, ["readOnly"] = readOnly };

    private static string Encode(string value) => Convert.ToBase64String(Encoding.UTF8.GetBytes(value));
}
