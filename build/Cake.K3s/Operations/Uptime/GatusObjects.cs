using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Uptime;

/// <summary>Gatus in the cluster. Builds the objects; applies nothing.</summary>
/// <param name="app">The app's name.</param>
/// <param name="ns">Its namespace.</param>
/// <param name="group">What the checks are shown under.</param>
/// <param name="settings">The environment's checks.</param>
internal sealed class GatusObjects(string app, string ns, string group, UptimeSettings settings)
{
    private const int User = 65534;

    /// <summary>The name of all of them.</summary>
    public string Name => app + "-uptime";

    /// <summary>All objects, in the order in which they are applied.</summary>
    /// <param name="variables">The secrets that the configuration names.</param>
    public ImmutableArray<JsonObject> All(ImmutableSortedDictionary<string, Secret> variables)
    {
        var configuration = GatusConfiguration.Write(group, settings, variables.ContainsKey(GatusConfiguration.HeartbeatVariable));
        return
        [
            Object("v1", "ConfigMap", ("data", new JsonObject { ["config.yaml"] = configuration })),
            Object("v1", "Secret", ("type", "Opaque"), ("data", new JsonObject(variables.Select(variable =>
                KeyValuePair.Create(variable.Key, (JsonNode?)Convert.ToBase64String(Encoding.UTF8.GetBytes(variable.Value.Reveal()))))))),
            // It looks at the app from outside, whatever else of the namespace may.
            Object("networking.k8s.io/v1", "NetworkPolicy", ("spec", new JsonObject
            {
                ["podSelector"] = new JsonObject { ["matchLabels"] = Labels() },
                ["policyTypes"] = new JsonArray("Egress"),
                ["egress"] = new JsonArray(new JsonObject()),
            })),
            Object("v1", "Service", ("spec", new JsonObject
            {
                ["selector"] = Labels(),
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["port"] = 80, ["targetPort"] = "http" }),
            })),
            Object("apps/v1", "Deployment", ("spec", Deployment(variables, configuration))),
        ];
    }

    private JsonObject Deployment(ImmutableSortedDictionary<string, Secret> variables, string configuration) => new()
    {
        ["replicas"] = 1,
        ["strategy"] = new JsonObject { ["type"] = "Recreate" },
        ["selector"] = new JsonObject { ["matchLabels"] = Labels() },
        ["template"] = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["labels"] = Labels(),
                // Secrets are read when it starts.
                ["annotations"] = new JsonObject { ["cake.k3s/configuration"] = Hash([configuration, .. variables.Values.Select(value => value.Reveal())]) },
            },
            ["spec"] = new JsonObject
            {
                ["automountServiceAccountToken"] = false,
                ["enableServiceLinks"] = false,
                ["securityContext"] = new JsonObject
                {
                    ["runAsNonRoot"] = true,
                    ["runAsUser"] = User,
                    ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
                },
                ["volumes"] = new JsonArray(new JsonObject { ["name"] = "configuration", ["configMap"] = new JsonObject { ["name"] = Name } }),
                ["containers"] = new JsonArray(new JsonObject
                {
                    ["name"] = "gatus",
                    ["image"] = settings.Gatus!.Image,
                    ["env"] = new JsonArray([new JsonObject { ["name"] = "GATUS_CONFIG_PATH", ["value"] = "/configuration/config.yaml" }, .. variables.Keys.Select(Variable)]),
                    ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["containerPort"] = GatusConfiguration.Port }),
                    ["readinessProbe"] = new JsonObject { ["httpGet"] = new JsonObject { ["path"] = "/health", ["port"] = "http" } },
                    ["livenessProbe"] = new JsonObject { ["httpGet"] = new JsonObject { ["path"] = "/health", ["port"] = "http" }, ["periodSeconds"] = 30 },
                    ["volumeMounts"] = new JsonArray(new JsonObject { ["name"] = "configuration", ["mountPath"] = "/configuration", ["readOnly"] = true }),
                    ["resources"] = new JsonObject
                    {
                        ["requests"] = new JsonObject { ["cpu"] = "10m", ["memory"] = "32Mi" },
                        ["limits"] = new JsonObject { ["memory"] = "128Mi" },
                    },
                    ["securityContext"] = new JsonObject
                    {
                        ["allowPrivilegeEscalation"] = false,
                        ["readOnlyRootFilesystem"] = true,
                        ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
                    },
                }),
            },
        },
    };

    private JsonObject Variable(string name) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject { ["secretKeyRef"] = new JsonObject { ["name"] = Name, ["key"] = name } },
    };

    private JsonObject Object(string apiVersion, string kind, params ReadOnlySpan<(string Name, JsonNode Value)> members)
    {
        var node = new JsonObject
        {
            ["apiVersion"] = apiVersion,
            ["kind"] = kind,
            ["metadata"] = new JsonObject { ["name"] = Name, ["namespace"] = ns, ["labels"] = Labels() },
        };
        foreach (var (name, value) in members)
        {
            node[name] = value;
        }

        return node;
    }

    private JsonObject Labels() => new() { ["app.kubernetes.io/name"] = Name, ["app.kubernetes.io/part-of"] = app };

    private static string Hash(IEnumerable<string> texts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts))))[..16];
}
