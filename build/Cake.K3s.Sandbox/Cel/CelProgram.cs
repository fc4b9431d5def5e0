namespace Cake.K3s.Sandbox.Cel;

/// <summary>
/// An expression of the Common Expression Language, as far as admission policies and the rules of custom resources use it: evaluated without
/// static types, as the API server evaluates expressions over <c>dyn</c>. <see cref="CelFunctions"/> says which functions there are.
/// </summary>
internal sealed class CelProgram
{
    /// <summary>A bound on the work of one evaluation, in place of the API server's cost budget.</summary>
    private const int MostSteps = 1_000_000;

    private readonly CelNode _root;

    private CelProgram(string text, CelNode root) => (Text, _root) = (text, root);

    /// <summary>The expression as it was written.</summary>
    public string Text { get; }

    /// <param name="text">The expression.</param>
    /// <param name="variables">The names it may use.</param>
    /// <exception cref="CelException">It cannot be compiled.</exception>
    public static CelProgram Compile(string text, params IEnumerable<string> variables) => new(text, CelParser.Parse(text, variables));

    /// <param name="variables">The values of the names, as <see cref="CelValues"/> lists them, or <see cref="ICelFields"/>.</param>
    /// <exception cref="CelException">The evaluation fails.</exception>
    public object? Evaluate(IReadOnlyDictionary<string, object?> variables) => new Evaluation(variables).Value(_root, null);

    private sealed class Evaluation(IReadOnlyDictionary<string, object?> variables)
    {
        private int _steps;

        public object? Value(CelNode node, Local? locals)
        {
            if (++_steps > MostSteps)
            {
                throw new CelException("operation cancelled: actual cost limit exceeded");
            }

            switch (node)
            {
                case CelLiteral literal:
                    return literal.Value;
                case CelIdentifier identifier:
                    return Named(identifier.Name, locals);
                case CelSelect select:
                    return Select(select, Value(select.Operand, locals));
                case CelIndex index:
                    return Index(Value(index.Operand, locals), Value(index.Key, locals), index.Optional);
                case CelCall call:
                    object?[] values = call.Target is null
                        ? [.. call.Arguments.Select(argument => Value(argument, locals))]
                        : [Value(call.Target, locals), .. call.Arguments.Select(argument => Value(argument, locals))];
                    return CelFunctions.Run(call.Function, call.Target is not null, values);
                case CelLogical logical:
                    return Logical(logical, locals);
                case CelConditional conditional:
                    return Value(Flag(Value(conditional.Condition, locals)) ? conditional.Then : conditional.Else, locals);
                case CelList list:
                    return List(list, locals);
                case CelMap map:
                    return Map(map, locals);
                case CelComprehension comprehension:
                    return Comprehension(comprehension, locals);
                default:
                    throw new InvalidOperationException($"{node.GetType()} is no part of an expression");
            }
        }

        private object? Named(string name, Local? locals)
        {
            for (var local = locals; local is not null; local = local.Outer)
            {
                if (local.Name == name)
                {
                    return local.Value;
                }
            }

            return variables.TryGetValue(name, out var value) ? value : new CelType(name);
        }

        private static object? Select(CelSelect select, object? operand)
        {
            if (operand is CelOptional optional)
            {
                if (!optional.HasValue)
                {
                    return select.Test ? false : CelOptional.None;
                }

                return select.Test ? TryGet(optional.Value, select.Field, out _) : Optional(TryGet(optional.Value, select.Field, out var inner), inner);
            }

            if (select.Optional)
            {
                return Optional(TryGet(operand, select.Field, out var there), there);
            }

            var found = TryGet(operand, select.Field, out var value);
            return select.Test ? found : found ? value : throw CelException.NoSuchKey(select.Field);
        }

        private static CelOptional Optional(bool there, object? value) => there ? new CelOptional(true, value) : CelOptional.None;

        private static bool TryGet(object? operand, string field, out object? value)
        {
            switch (operand)
            {
                case IReadOnlyDictionary<object, object?> map:
                    return map.TryGetValue(field, out value) || (field.Contains("__", StringComparison.Ordinal) && map.TryGetValue(Unescaped(field), out value));
                case ICelFields fields:
                    return fields.TryGet(field, out value);
                default:
                    throw new CelException($"no such overload: type '{CelValues.TypeName(operand)}' does not support field selection");
            }
        }

        /// <summary>Property names that are no identifiers are written with these, as the API server has it.</summary>
        private static string Unescaped(string field)
        {
            var plain = field.Replace("__dot__", ".", StringComparison.Ordinal).Replace("__dash__", "-", StringComparison.Ordinal)
                .Replace("__slash__", "/", StringComparison.Ordinal).Replace("__underscores__", "__", StringComparison.Ordinal);
            return plain.Length > 4 && plain.StartsWith("__", StringComparison.Ordinal) && plain.EndsWith("__", StringComparison.Ordinal) ? plain[2..^2] : plain;
        }

        private static object? Index(object? operand, object? key, bool optional)
        {
            if (operand is CelOptional maybe)
            {
                return maybe.HasValue ? Index(maybe.Value, key, optional: true) : CelOptional.None;
            }

            switch (operand)
            {
                case IReadOnlyList<object?> list when key is long at:
                    var inside = at >= 0 && at < list.Count;
                    return optional ? Optional(inside, inside ? list[(int)at] : null) : inside ? list[(int)at] : throw new CelException($"index out of bounds: {at}");
                case IReadOnlyDictionary<object, object?> map when key is not null:
                    var there = map.TryGetValue(key, out var value);
                    return optional ? Optional(there, value) : there ? value : throw CelException.NoSuchKey(key);
                default:
                    throw CelException.NoSuchOverload($"{CelValues.TypeName(operand)}[{CelValues.TypeName(key)}]");
            }
        }

        /// <summary>Either side may fail when the other one decides.</summary>
        private object Logical(CelLogical logical, Local? locals)
        {
            try
            {
                if (Flag(Value(logical.Left, locals)) != logical.IsAnd)
                {
                    return !logical.IsAnd;
                }
            }
            catch (CelException)
            {
                if (Value(logical.Right, locals) is bool decided && decided != logical.IsAnd)
                {
                    return decided;
                }

                throw;
            }

            return Flag(Value(logical.Right, locals));
        }

        private List<object?> List(CelList list, Local? locals)
        {
            var result = new List<object?>(list.Items.Count);
            foreach (var (item, optional) in list.Items)
            {
                var value = Value(item, locals);
                if (!optional)
                {
                    result.Add(value);
                }
                else if (value is CelOptional { HasValue: true } there)
                {
                    result.Add(there.Value);
                }
            }

            return result;
        }

        private Dictionary<object, object?> Map(CelMap map, Local? locals)
        {
            var result = new Dictionary<object, object?>(map.Entries.Count);
            foreach (var (keyNode, valueNode, optional) in map.Entries)
            {
                var key = Value(keyNode, locals) ?? throw new CelException("unsupported key type: null_type");
                var value = Value(valueNode, locals);
                if (optional && value is not CelOptional { HasValue: true })
                {
                    continue;
                }

                if (!result.TryAdd(key, optional ? ((CelOptional)value!).Value : value))
                {
                    throw new CelException($"Failed with repeated key: {key}");
                }
            }

            return result;
        }

        private object? Comprehension(CelComprehension macro, Local? locals)
        {
            var range = Value(macro.Range, locals);
            if (macro.Macro is "optMap" or "optFlatMap")
            {
                if (range is not CelOptional optional)
                {
                    throw CelException.NoSuchOverload(macro.Macro);
                }

                if (!optional.HasValue)
                {
                    return CelOptional.None;
                }

                var mapped = Value(macro.Result!, new Local(macro.Variable, optional.Value, locals));
                return macro.Macro == "optMap" ? new CelOptional(true, mapped) : mapped;
            }

            var elements = range switch
            {
                IReadOnlyList<object?> list => list,
                IReadOnlyDictionary<object, object?> map => (IEnumerable<object?>)map.Keys,
                _ => throw new CelException($"no such overload: expression of type '{CelValues.TypeName(range)}' cannot be range of a comprehension"),
            };
            return macro.Macro switch
            {
                "all" => Decides(macro, elements, locals, isAll: true),
                "exists" => Decides(macro, elements, locals, isAll: false),
                "exists_one" => elements.Count(element => Flag(Value(macro.Condition!, new Local(macro.Variable, element, locals)))) == 1,
                _ => Selected(macro, elements, locals),
            };
        }

        /// <summary>An element that decides outweighs others that fail.</summary>
        private bool Decides(CelComprehension macro, IEnumerable<object?> elements, Local? locals, bool isAll)
        {
            CelException? failed = null;
            foreach (var element in elements)
            {
                try
                {
                    if (Flag(Value(macro.Condition!, new Local(macro.Variable, element, locals))) != isAll)
                    {
                        return !isAll;
                    }
                }
                catch (CelException exception)
                {
                    failed ??= exception;
                }
            }

            return failed is null ? isAll : throw failed;
        }

        private List<object?> Selected(CelComprehension macro, IEnumerable<object?> elements, Local? locals)
        {
            var result = new List<object?>();
            foreach (var element in elements)
            {
                var inner = new Local(macro.Variable, element, locals);
                if (macro.Condition is null || Flag(Value(macro.Condition, inner)))
                {
                    result.Add(macro.Result is null ? element : Value(macro.Result, inner));
                }
            }

            return result;
        }

        private static bool Flag(object? value) => value as bool? ?? throw CelException.NoSuchOverload(CelValues.TypeName(value));
    }

    /// <summary>A name that a macro has given to an element.</summary>
    private sealed record Local(string Name, object? Value, Local? Outer);
}
