using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.Cel;

namespace Cake.K3s.Sandbox.ApiServer.Admission.Policies;

/// <summary>A ValidatingAdmissionPolicy with its expressions compiled.</summary>
internal sealed class AdmissionPolicy
{
    private static readonly string[] Names = ["object", "oldObject", "request", "params", "namespaceObject", "variables"];

    private readonly IReadOnlyList<(string Name, CelProgram Expression)> _variables;
    private readonly IReadOnlyList<(string Name, CelProgram Expression)> _conditions;
    private readonly IReadOnlyList<Validation> _validations;

    /// <exception cref="CelException">One of the expressions cannot be compiled.</exception>
    public AdmissionPolicy(JsonObject policy)
    {
        var spec = policy.Object("spec");
        Name = policy.Name() ?? "";
        Constraints = spec.Object("matchConstraints");
        Parameters = spec.Object("paramKind");
        Fails = spec.Text("failurePolicy") != "Ignore";
        _conditions = [.. spec.Objects("matchConditions").Select(item => (item.Text("name") ?? "", Compile(item)))];
        _variables = [.. spec.Objects("variables").Select(item => (item.Text("name") ?? "", Compile(item)))];
        _validations =
        [
            .. spec.Objects("validations").Select(item => new Validation(
                Compile(item),
                item.Text("message")?.Trim(),
                item.Text("messageExpression") is { Length: > 0 } text ? Compile(text) : null,
                item.Text("reason") ?? "Invalid")),
        ];
    }

    public string Name { get; }

    public JsonObject? Constraints { get; }

    /// <summary>The <c>paramKind</c>; null for a policy without parameters.</summary>
    public JsonObject? Parameters { get; }

    /// <summary>Whether an expression that cannot be evaluated denies the request.</summary>
    public bool Fails { get; }

    /// <exception cref="CelException">It cannot be compiled.</exception>
    public static CelProgram Compile(string expression) => CelProgram.Compile(expression, Names);

    /// <summary>Why the policy denies a change; empty when it allows it, or is not about it.</summary>
    public IReadOnlyList<Denial> Evaluate(AdmissionAttempt attempt, JsonObject? namespaceObject, JsonObject? parameters)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["object"] = CelValues.Of(attempt.Value),
            ["oldObject"] = CelValues.Of(attempt.Old),
            ["request"] = CelValues.Of(attempt.Request()),
            ["params"] = CelValues.Of(parameters),
            ["namespaceObject"] = CelValues.Of(namespaceObject),
        };
        values["variables"] = new LazyVariables(_variables, values);
        var denials = new List<Denial>();
        foreach (var (name, condition) in _conditions)
        {
            try
            {
                if (condition.Evaluate(values) is not true)
                {
                    return [];
                }
            }
            catch (CelException exception)
            {
                return Fails ? [new Denial($"failed to evaluate match condition '{name}': {exception.Message}", "Invalid")] : [];
            }
        }

        foreach (var validation in _validations)
        {
            try
            {
                if (validation.Expression.Evaluate(values) is not true)
                {
                    denials.Add(new Denial(Message(validation, values), validation.Reason));
                }
            }
            catch (CelException exception) when (Fails)
            {
                denials.Add(new Denial($"expression '{validation.Expression.Text}' resulted in error: {exception.Message}", "Invalid"));
            }
            catch (CelException)
            {
                // failurePolicy: Ignore.
            }
        }

        return denials;
    }

    private static CelProgram Compile(JsonObject item) => Compile(item.Text("expression") ?? "");

    private static string Message(Validation validation, Dictionary<string, object?> values)
    {
        try
        {
            if (validation.MessageExpression?.Evaluate(values) is string text && text.Trim() is { Length: > 0 } said && !said.Contains('\n', StringComparison.Ordinal))
            {
                return said;
            }
        }
        catch (CelException)
        {
            // As the API server has it: a message that cannot be made falls back to the fixed one.
        }

        return validation.Message is { Length: > 0 } message ? message : $"failed expression: {validation.Expression.Text.Trim()}";
    }

    private sealed record Validation(CelProgram Expression, string? Message, CelProgram? MessageExpression, string Reason);

    /// <summary>The policy's variables: each evaluated once, when it is first used; those before it may be used in it.</summary>
    private sealed class LazyVariables(IReadOnlyList<(string Name, CelProgram Expression)> variables, Dictionary<string, object?> values) : ICelFields
    {
        private readonly Dictionary<string, object?> _known = new(StringComparer.Ordinal);
        private int _depth;

        public bool TryGet(string name, out object? value)
        {
            if (_known.TryGetValue(name, out value))
            {
                return true;
            }

            foreach (var variable in variables)
            {
                if (variable.Name != name)
                {
                    continue;
                }

                if (++_depth > variables.Count)
                {
                    throw new CelException($"undefined field '{name}'");
                }

                _known[name] = value = variable.Expression.Evaluate(values);
                _depth--;
                return true;
            }

            return false;
        }
    }
}

/// <summary>Why a change is denied, and the reason of the Status.</summary>
internal sealed record Denial(string Message, string Reason);
