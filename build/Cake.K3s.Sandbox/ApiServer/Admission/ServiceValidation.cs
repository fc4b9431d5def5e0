using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Mistakes in Services and Ingresses.</summary>
internal static class ServiceValidation
{
    public static IEnumerable<FieldError> Service(JsonObject spec)
    {
        var errors = new List<FieldError>();
        var type = spec.Text("type");
        PodValidation.OneOf(spec, "type", "spec", errors, "ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
        PodValidation.OneOf(spec, "sessionAffinity", "spec", errors, "ClientIP", "None");
        var ports = spec.Objects("ports").ToList();
        if (ports.Count == 0 && spec.Text("clusterIP") != "None" && type != "ExternalName")
        {
            errors.Add(FieldError.Required("spec.ports"));
        }

        if (type == "ExternalName" && spec.Text("externalName") is not { Length: > 0 })
        {
            errors.Add(FieldError.Required("spec.externalName"));
        }

        if (spec.Text("clusterIP") == "None" && type is "NodePort" or "LoadBalancer" && spec.Text("clusterIP") == "None")
        {
            errors.Add(FieldError.InvalidAs("spec.clusterIPs[0]", "\"None\"", $"may not be set to 'None' for {type} services"));
        }

        errors.AddRange(ObjectValidation.Labels(spec.Map("selector"), "spec.selector"));
        var names = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<(long?, string?)>();
        for (var at = 0; at < ports.Count; at++)
        {
            var (port, here) = (ports[at], $"spec.ports[{at}]");
            if (port.Text("name") is not { Length: > 0 } name)
            {
                if (ports.Count > 1)
                {
                    errors.Add(FieldError.Required($"{here}.name"));
                }
            }
            else
            {
                errors.AddRange(NameRules.Label(name).Select(problem => FieldError.Invalid($"{here}.name", name, problem)));
                if (!names.Add(name))
                {
                    errors.Add(FieldError.Duplicate($"{here}.name", name));
                }
            }

            PodValidation.PortNumber(port["port"] ?? 0, $"{here}.port", errors);
            PodValidation.OneOf(port, "protocol", here, errors, "SCTP", "TCP", "UDP");
            if (port["targetPort"] is { } target && type != "ExternalName" && port["port"] is not null)
            {
                PodValidation.PortReference(target, $"{here}.targetPort", errors);
            }

            if (!numbers.Add((port.Integer("port"), port.Text("protocol"))))
            {
                errors.Add(FieldError.Duplicate(here, new JsonObject { ["port"] = port["port"]?.DeepClone(), ["protocol"] = port["protocol"]?.DeepClone() }));
            }
        }

        return errors;
    }

    public static IEnumerable<FieldError> Ingress(JsonObject spec)
    {
        var errors = new List<FieldError>();
        var rules = spec.Objects("rules").ToList();
        if (rules.Count == 0 && spec["defaultBackend"] is null)
        {
            errors.Add(FieldError.InvalidAs("spec", "{}", "either `defaultBackend` or `rules` must be specified"));
        }

        Backend(spec.Object("defaultBackend"), "spec.defaultBackend", errors);
        for (var at = 0; at < rules.Count; at++)
        {
            if (rules[at].Text("host") is { Length: > 0 } host)
            {
                var problems = NameRules.Subdomain(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host);
                errors.AddRange(problems.Select(problem => FieldError.Invalid($"spec.rules[{at}].host", host, problem)));
            }

            if (rules[at].Object("http") is not { } http)
            {
                continue;
            }

            if (!http.Objects("paths").Any())
            {
                errors.Add(FieldError.Required($"spec.rules[{at}].http.paths"));
            }

            var index = 0;
            foreach (var path in http.Objects("paths"))
            {
                var here = $"spec.rules[{at}].http.paths[{index++}]";
                if (path.Text("pathType") is not { } pathType)
                {
                    errors.Add(FieldError.Required($"{here}.pathType", "pathType must be specified"));
                }
                else
                {
                    PodValidation.OneOf(path, "pathType", here, errors, "Exact", "ImplementationSpecific", "Prefix");
                    if (pathType is "Exact" or "Prefix" && path.Text("path") is not ['/', ..])
                    {
                        errors.Add(FieldError.Invalid($"{here}.path", path.Text("path") ?? "", "must be an absolute path"));
                    }
                }

                Backend(path.Object("backend"), $"{here}.backend", errors);
                if (path.Object("backend") is null)
                {
                    errors.Add(FieldError.Required($"{here}.backend"));
                }
            }
        }

        return errors;
    }

    private static void Backend(JsonObject? backend, string path, List<FieldError> errors)
    {
        if (backend?.Object("service") is not { } service)
        {
            return;
        }

        if (service.Text("name") is not { Length: > 0 } name)
        {
            errors.Add(FieldError.Required($"{path}.service.name"));
        }
        else
        {
            errors.AddRange(NameRules.DnsLabel(name).Select(problem => FieldError.Invalid($"{path}.service.name", name, problem)));
        }

        var port = service.Object("port");
        if (port.Text("name") is not { Length: > 0 } && (port.Integer("number") ?? 0) == 0)
        {
            errors.Add(FieldError.Required($"{path}", "port name or number is required"));
        }
        else if (port.Text("name") is { Length: > 0 } && port.Integer("number") is > 0)
        {
            errors.Add(FieldError.Invalid($"{path}", "", "cannot set both port name & port number"));
        }
    }
}
