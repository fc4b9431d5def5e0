using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Linting;

namespace Cake.K3s.Scaffolding;

/// <summary>What a Dockerfile says of how its image is built and run.</summary>
/// <param name="Port">The first port that the last stage exposes; null for none.</param>
/// <param name="User">The user that the image runs as; null where it does not say, which is root.</param>
/// <param name="CopySources">The plain paths of the context that it copies.</param>
/// <param name="BaseArguments">The arguments that name a base image and have no default.</param>
internal sealed partial record Dockerfile(
    int? Port,
    string? User,
    ImmutableArray<string> CopySources,
    ImmutableArray<string> BaseArguments)
{
    /// <summary>Reads a Dockerfile's text.</summary>
    public static Dockerfile Parse(string text)
    {
        int? port = null;
        string? user = null;
        var sources = ImmutableArray.CreateBuilder<string>();
        var withoutDefault = new List<string>();
        var bases = ImmutableArray.CreateBuilder<string>();
        foreach (var (_, instruction) in BaseImages.Instructions(text))
        {
            if (From().Match(instruction) is { Success: true } from)
            {
                // A stage starts from its base, whose ports and user a Dockerfile does not tell.
                (port, user) = (null, null);
                bases.AddRange(withoutDefault.Where(name => from.Groups[1].Value == $"${name}" || from.Groups[1].Value == $"${{{name}}}"));
            }
            else if (Argument().Match(instruction) is { Success: true } argument)
            {
                withoutDefault.Add(argument.Groups[1].Value);
            }
            else if (Expose().Match(instruction) is { Success: true } expose)
            {
                port ??= int.Parse(expose.Groups[1].Value, CultureInfo.InvariantCulture);
            }
            else if (RunAs().Match(instruction) is { Success: true } runAs)
            {
                user = runAs.Groups[1].Value;
            }
            else
            {
                sources.AddRange(DockerfileRules.CopySources(instruction));
            }
        }

        return new(port, user, sources.ToImmutable(), bases.ToImmutable());
    }

    [GeneratedRegex(@"^FROM\s+(?:--\S+\s+)*(\S+)", RegexOptions.IgnoreCase)]
    private static partial Regex From();

    [GeneratedRegex(@"^ARG\s+(\w+)\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex Argument();

    [GeneratedRegex(@"^EXPOSE\s+(\d{1,5})\b", RegexOptions.IgnoreCase)]
    private static partial Regex Expose();

    [GeneratedRegex(@"^USER\s+([^\s:]+)", RegexOptions.IgnoreCase)]
    private static partial Regex RunAs();
}
