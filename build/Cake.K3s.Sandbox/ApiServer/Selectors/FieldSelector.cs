using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Selectors;

/// <summary>Which values some fields must have. A resource supports the fields that a real server does, no others.</summary>
internal sealed class FieldSelector
{
    private static readonly FrozenDictionary<string, string[]> Supported = new Dictionary<string, string[]>
    {
        ["pods"] =
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase",
            "status.podIP", "status.nominatedNodeName",
        ],
        ["events"] =
        [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
            "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
        ],
        ["namespaces"] = ["status.phase"],
        ["nodes"] = ["spec.unschedulable"],
        ["secrets"] = ["type"],
        ["services"] = ["spec.clusterIP", "spec.type"],
        ["replicationcontrollers"] = ["status.replicas"],
        ["replicasets.apps"] = ["status.replicas"],
        ["jobs.batch"] = ["status.successful"],
        ["certificatesigningrequests.certificates.k8s.io"] = ["spec.signerName"],
        ["customresourcedefinitions.apiextensions.k8s.io"] = [],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly IReadOnlyList<(string[] Path, string Value, bool Equal)> _requirements;

    private FieldSelector(IReadOnlyList<(string[], string, bool)> requirements) => _requirements = requirements;

    public bool IsEverything => _requirements.Count == 0;

    /// <summary>The name that the selector asks for, so that a watch of one object is recognised; null when it does not.</summary>
    public string? Name => _requirements.FirstOrDefault(one => one is { Path: ["metadata", "name"], Equal: true }).Value;

    /// <summary>Reads the <c>fieldSelector</c> parameter.</summary>
    /// <exception cref="FormatException">It cannot be understood, or names a field that the resource does not support.</exception>
    public static FieldSelector Parse(string? text, ResourceDefinition resource)
    {
        var requirements = new List<(string[], string, bool)>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                throw new FormatException($"invalid selector: '{text}'; can't understand '{part}'");
            }

            var equal = part[at - 1] != '!';
            var field = part[..(equal ? at : at - 1)].Trim();
            var value = part[(at + (part.AsSpan(at).StartsWith("==") ? 2 : 1))..].Trim();
            if (field is not ("metadata.name" or "metadata.namespace") && !Supports(resource, field))
            {
                throw new FormatException(resource.IsCustom || Supported.ContainsKey(resource.StorageName)
                    ? $"field label not supported: {field}"
                    : $"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
            }

            requirements.Add(((field == "source" ? "source.component" : field).Split('.'), value, equal));
        }

        return new FieldSelector(requirements);
    }

    public bool Matches(JsonObject value)
    {
        foreach (var (path, expected, equal) in _requirements)
        {
            JsonNode? node = value;
            foreach (var step in path)
            {
                node = (node as JsonObject)?[step];
            }

            var actual = node switch { null => Absent(path), JsonValue => node.Text() ?? node.ToJsonString(), _ => "" };
            if (actual == expected != equal)
            {
                return false;
            }
        }

        return true;
    }

    private static bool Supports(ResourceDefinition resource, string field)
        => Supported.TryGetValue(resource.StorageName, out var fields) && fields.Contains(field);

    private static string Absent(string[] path) => path[^1] switch
    {
        "unschedulable" or "hostNetwork" => "false",
        "replicas" or "successful" => "0",
        _ => "",
    };
}
