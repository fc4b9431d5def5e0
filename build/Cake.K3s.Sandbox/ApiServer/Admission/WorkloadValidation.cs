using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Selectors;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Mistakes in the kinds that make pods.</summary>
internal static class WorkloadValidation
{
    public static IEnumerable<FieldError> Workload(ResourceDefinition resource, JsonObject spec)
    {
        var errors = new List<FieldError>();
        NotNegative(spec, errors, "replicas", "minReadySeconds", "revisionHistoryLimit");
        var selector = spec.Object("selector");
        if (selector is null)
        {
            errors.Add(FieldError.Required("spec.selector"));
        }
        else
        {
            errors.AddRange(Selector(selector, "spec.selector"));
            if (selector.Object("matchLabels") is not { Count: > 0 } && selector.List("matchExpressions") is not { Count: > 0 })
            {
                errors.Add(FieldError.InvalidAs("spec.selector", "{}", $"empty selector is invalid for {Singular(resource)}"));
            }
        }

        var labels = spec.Object("template", "metadata").Map("labels");
        if (selector is not null ? !LabelSelector.Of(selector).Matches(labels) : true)
        {
            errors.Add(FieldError.InvalidAs("spec.template.metadata.labels", Labels(labels), "`selector` does not match template `labels`"));
        }

        errors.AddRange(Template(spec, "spec.template", "Always"));
        Strategy(resource, spec, errors);
        if (resource.Kind == "Deployment" && spec.Integer("progressDeadlineSeconds") is { } deadline && deadline <= (spec.Integer("minReadySeconds") ?? 0))
        {
            errors.Add(FieldError.Invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
        }

        return errors;
    }

    public static IEnumerable<FieldError> Job(JsonObject spec, string path, bool generated)
    {
        var errors = new List<FieldError>();
        foreach (var field in (string[])["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"])
        {
            if (spec.Integer(field) < 0)
            {
                errors.Add(FieldError.Invalid($"{path}.{field}", spec[field], "must be greater than or equal to 0"));
            }
        }

        if (spec.Text("completionMode") == "Indexed" && spec["completions"] is null)
        {
            errors.Add(FieldError.Required($"{path}.completions", "when completion mode is Indexed"));
        }

        if (!generated && spec["selector"] is not null)
        {
            errors.Add(FieldError.InvalidAs($"{path}.selector", JsonBody.Text(spec["selector"]), "`selector` will be auto-generated"));
        }

        if (generated && spec.Object("selector") is { } selector)
        {
            var labels = spec.Object("template", "metadata").Map("labels");
            if (!LabelSelector.Of(selector).Matches(labels))
            {
                errors.Add(FieldError.InvalidAs($"{path}.template.metadata.labels", Labels(labels), "`selector` does not match template `labels`"));
            }
        }

        errors.AddRange(Template(spec, $"{path}.template", "OnFailure", "Never"));
        return errors;
    }

    public static IEnumerable<FieldError> CronJob(JsonObject value, JsonObject spec)
    {
        var errors = new List<FieldError>();
        if (spec.Text("schedule") is not { Length: > 0 } schedule)
        {
            errors.Add(FieldError.Required("spec.schedule"));
        }
        else if (!schedule.StartsWith('@') && schedule.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length is var fields && fields != 5)
        {
            errors.Add(FieldError.Invalid("spec.schedule", schedule, $"expected exactly 5 fields, found {fields}: [{schedule}]"));
        }

        PodValidation.OneOf(spec, "concurrencyPolicy", "spec", errors, "Allow", "Forbid", "Replace");
        if (value.Name() is { Length: > 52 })
        {
            errors.Add(FieldError.Invalid("metadata.name", value.Name(), "must be no more than 52 characters"));
        }

        errors.AddRange(Job(spec.Object("jobTemplate", "spec") ?? [], "spec.jobTemplate.spec", generated: false));
        return errors;
    }

    public static IEnumerable<FieldError> DisruptionBudget(JsonObject spec)
    {
        if (spec["minAvailable"] is not null && spec["maxUnavailable"] is not null)
        {
            yield return FieldError.InvalidAs("spec", JsonBody.Text(spec), "minAvailable and maxUnavailable cannot be both set");
        }

        foreach (var field in (string[])["minAvailable", "maxUnavailable"])
        {
            foreach (var error in IntOrPercent(spec[field], $"spec.{field}"))
            {
                yield return error;
            }
        }

        foreach (var error in Selector(spec.Object("selector"), "spec.selector"))
        {
            yield return error;
        }
    }

    public static IEnumerable<FieldError> Autoscaler(JsonObject spec)
    {
        if (spec.Integer("maxReplicas") is not { } most || most < 1)
        {
            yield return FieldError.Invalid("spec.maxReplicas", spec["maxReplicas"] ?? 0, "must be greater than 0");
        }
        else if (most < spec.Integer("minReplicas"))
        {
            yield return FieldError.Invalid("spec.maxReplicas", spec["maxReplicas"], "must be greater than or equal to `minReplicas`");
        }

        foreach (var field in (string[])["kind", "name"])
        {
            if (spec.Object("scaleTargetRef").Text(field) is not { Length: > 0 })
            {
                yield return FieldError.Required($"spec.scaleTargetRef.{field}");
            }
        }
    }

    public static IEnumerable<FieldError> Selector(JsonObject? selector, string path)
    {
        foreach (var error in ObjectValidation.Labels(selector.Map("matchLabels"), $"{path}.matchLabels"))
        {
            yield return error;
        }

        var at = 0;
        foreach (var expression in selector.Objects("matchExpressions"))
        {
            var here = $"{path}.matchExpressions[{at++}]";
            switch (expression.Text("operator"))
            {
                case "In" or "NotIn" when expression.List("values") is not { Count: > 0 }:
                    yield return FieldError.Required($"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'");
                    break;
                case "Exists" or "DoesNotExist" when expression.List("values") is { Count: > 0 }:
                    yield return FieldError.Forbidden($"{here}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                    break;
                case "In" or "NotIn" or "Exists" or "DoesNotExist":
                    break;
                default:
                    yield return FieldError.Invalid($"{here}.operator", expression.Text("operator") ?? "", "not a valid selector operator");
                    break;
            }
        }
    }

    private static IEnumerable<FieldError> Template(JsonObject spec, string path, params string[] restartPolicies)
    {
        var pod = spec.Object("template", "spec");
        foreach (var error in ObjectValidation.Labels(spec.Object("template", "metadata").Map("labels"), $"{path}.labels"))
        {
            yield return error;
        }

        if (pod is null)
        {
            yield return FieldError.Required($"{path}.spec.containers");
            yield break;
        }

        var claims = spec.Objects("volumeClaimTemplates").Select(claim => claim.Object("metadata").Text("name") ?? "");
        foreach (var error in PodValidation.Spec(pod, $"{path}.spec", claims))
        {
            yield return error;
        }

        if (pod.Text("restartPolicy") is { } policy && !restartPolicies.Contains(policy))
        {
            yield return restartPolicies.Length == 1 || policy != "Always"
                ? FieldError.NotSupported($"{path}.spec.restartPolicy", policy, restartPolicies)
                : new FieldError($"{path}.spec.restartPolicy", "FieldValueRequired", "Required value: valid values: \"OnFailure\", \"Never\"");
        }
    }

    private static void Strategy(ResourceDefinition resource, JsonObject spec, List<FieldError> errors)
    {
        var field = resource.Kind == "Deployment" ? "strategy" : "updateStrategy";
        if (spec.Object(field) is not { } strategy)
        {
            return;
        }

        PodValidation.OneOf(strategy, "type", $"spec.{field}", errors, resource.Kind == "Deployment" ? ["Recreate", "RollingUpdate"] : ["OnDelete", "RollingUpdate"]);
        if (strategy.Text("type") == "Recreate" && strategy["rollingUpdate"] is not null)
        {
            errors.Add(FieldError.Forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"));
        }

        if (strategy.Object("rollingUpdate") is { } rolling)
        {
            errors.AddRange(IntOrPercent(rolling["maxUnavailable"], $"spec.{field}.rollingUpdate.maxUnavailable"));
            errors.AddRange(IntOrPercent(rolling["maxSurge"], $"spec.{field}.rollingUpdate.maxSurge"));
            if (IsZero(rolling["maxUnavailable"]) && IsZero(rolling["maxSurge"]) && resource.Kind == "Deployment")
            {
                errors.Add(FieldError.InvalidAs("spec.strategy.rollingUpdate.maxUnavailable", JsonBody.Text(rolling["maxUnavailable"]), "may not be 0 when `maxSurge` is 0"));
            }
        }
    }

    private static IEnumerable<FieldError> IntOrPercent(JsonNode? value, string path)
    {
        if (value.Text() is { } text)
        {
            if (!text.EndsWith('%') || text.Length < 2 || text.AsSpan(0, text.Length - 1).IndexOfAnyExceptInRange('0', '9') >= 0)
            {
                yield return FieldError.Invalid(path, text, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
            }
        }
        else if (value.Integer() < 0)
        {
            yield return FieldError.Invalid(path, value, "must be greater than or equal to 0");
        }
    }

    private static bool IsZero(JsonNode? value) => value.Integer() == 0 || value.Text() is "0%";

    private static void NotNegative(JsonObject spec, List<FieldError> errors, params ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            if (spec.Integer(field) < 0)
            {
                errors.Add(FieldError.Invalid($"spec.{field}", spec[field], "must be greater than or equal to 0"));
            }
        }
    }

    /// <summary>As Go prints a map of strings.</summary>
    private static string Labels(IReadOnlyDictionary<string, string> labels)
        => labels.Count == 0 ? "null" : "{" + string.Join(",", labels.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"\"{pair.Key}\":\"{pair.Value}\"")) + "}";

    private static string Singular(ResourceDefinition resource) => resource.Kind.ToLowerInvariant();
}
