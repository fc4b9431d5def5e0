using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.Cel;

namespace Cake.K3s.Sandbox.ApiServer.Admission.Policies;

/// <summary>The mistakes in admission policies and their bindings that the API server refuses.</summary>
internal static class PolicyValidation
{
    public static IEnumerable<FieldError> Policy(JsonObject spec)
    {
        if (spec.List("validations") is not { Count: > 0 } && spec.List("auditAnnotations") is not { Count: > 0 })
        {
            yield return FieldError.Required("spec.validations", "validations or auditAnnotations must contain at least one item");
        }

        if (spec.Object("matchConstraints") is not { } constraints)
        {
            yield return FieldError.Required("spec.matchConstraints");
        }
        else
        {
            foreach (var error in Rules(constraints, "spec.matchConstraints"))
            {
                yield return error;
            }
        }

        if (spec.Text("failurePolicy") is { } failure and not ("Fail" or "Ignore"))
        {
            yield return FieldError.NotSupported("spec.failurePolicy", failure, "Fail", "Ignore");
        }

        foreach (var error in Expressions(spec, "matchConditions").Concat(Expressions(spec, "variables")).Concat(Expressions(spec, "validations")))
        {
            yield return error;
        }
    }

    public static IEnumerable<FieldError> Binding(JsonObject spec)
    {
        if (spec.Text("policyName") is not { Length: > 0 })
        {
            yield return FieldError.Required("spec.policyName");
        }

        var actions = spec.Texts("validationActions").ToList();
        if (actions.Count == 0)
        {
            yield return FieldError.Required("spec.validationActions");
        }

        for (var at = 0; at < actions.Count; at++)
        {
            if (actions[at] is not ("Audit" or "Deny" or "Warn"))
            {
                yield return FieldError.NotSupported($"spec.validationActions[{at}]", actions[at], "Audit", "Deny", "Warn");
            }
        }

        if (actions.Contains("Deny") && actions.Contains("Warn"))
        {
            yield return FieldError.Invalid("spec.validationActions", spec["validationActions"],
                "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)");
        }
    }

    private static IEnumerable<FieldError> Rules(JsonObject constraints, string path)
    {
        if (constraints.List("resourceRules") is not { Count: > 0 } rules)
        {
            yield return FieldError.Required(path + ".resourceRules");
            yield break;
        }

        for (var at = 0; at < rules.Count; at++)
        {
            foreach (var field in (string[])["apiGroups", "apiVersions", "operations", "resources"])
            {
                if ((rules[at] as JsonObject).List(field) is not { Count: > 0 })
                {
                    yield return FieldError.Required($"{path}.resourceRules[{at}].{field}");
                }
            }
        }
    }

    private static IEnumerable<FieldError> Expressions(JsonObject spec, string list)
    {
        var at = 0;
        foreach (var item in spec.Objects(list))
        {
            var path = $"spec.{list}[{at++}]";
            if (list != "validations" && item.Text("name") is not { Length: > 0 })
            {
                yield return FieldError.Required(path + ".name");
            }

            if (item.Text("expression")?.Trim() is not { Length: > 0 } expression)
            {
                yield return FieldError.Required(path + ".expression", list == "validations" ? "expression is not specified" : "");
            }
            else if (Compile(path + ".expression", expression) is { } error)
            {
                yield return error;
            }

            if (item.Text("messageExpression") is { Length: > 0 } message && Compile(path + ".messageExpression", message) is { } wrong)
            {
                yield return wrong;
            }
        }
    }

    private static FieldError? Compile(string path, string expression)
    {
        try
        {
            AdmissionPolicy.Compile(expression);
            return null;
        }
        catch (CelException exception)
        {
            return FieldError.Invalid(path, expression, $"compilation failed: {exception.Message}");
        }
    }
}
