using System.Text;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Kubernetes' own <c>$(NAME)</c> syntax in commands, arguments and values: unknown names stay, <c>$$</c> escapes.</summary>
internal static class VariableExpansion
{
    public static string Expand(string input, IReadOnlyDictionary<string, string> variables)
    {
        if (!input.Contains('$', StringComparison.Ordinal))
        {
            return input;
        }

        var result = new StringBuilder(input.Length);
        for (var i = 0; i < input.Length; i++)
        {
            if (input[i] != '$' || i + 1 == input.Length)
            {
                result.Append(input[i]);
                continue;
            }

            if (input[i + 1] == '$')
            {
                result.Append('$');
                i++;
                continue;
            }

            var end = input[i + 1] == '(' ? input.IndexOf(')', i + 2) : -1;
            if (end < 0)
            {
                result.Append('$');
                continue;
            }

            var reference = input[i..(end + 1)];
            result.Append(variables.TryGetValue(reference[2..^1], out var value) ? value : reference);
            i = end;
        }

        return result.ToString();
    }
}
