using Cake.K3s.Hosting;

namespace Cake.K3s.Targets;

/// <summary>Scripts that complete the command line in a shell.</summary>
internal static class ShellCompletion
{
    /// <summary>The shells.</summary>
    public static readonly IReadOnlyList<string> Shells = ["bash", "zsh", "powershell"];

    /// <summary>The script for a shell.</summary>
    /// <param name="shell">One of <see cref="Shells"/>.</param>
    /// <param name="targets">The names of the targets.</param>
    /// <param name="environments">The names of the environments.</param>
    /// <exception cref="K3sException">There is no such shell (exit code 2).</exception>
    public static string Script(string shell, IReadOnlyList<string> targets, IReadOnlyList<string> environments) => shell.ToLowerInvariant() switch
    {
        "bash" => Bash(targets, environments),
        "zsh" => Zsh(targets, environments),
        "powershell" or "pwsh" => PowerShell(targets, environments),
        _ => throw new K3sException(ExitCodes.BadInput, $"there is no completion for '{shell}'", $"There is one for {string.Join(", ", Shells)}."),
    };

    // Words to choose from; null where a path is meant, and an empty list where anything may stand.
    private static IReadOnlyList<string>? Choices(Switch known, IReadOnlyList<string> targets, IReadOnlyList<string> environments) => known switch
    {
        { Name: "target" } => targets,
        { Name: Switches.Environment } => environments,
        { Value: "FILE" or "DIRECTORY" } => null,
        { Value: { } value } when value.Contains('|') && char.IsLower(value[0]) => value.Split('|'),
        _ => [],
    };

    private static string Bash(IReadOnlyList<string> targets, IReadOnlyList<string> environments)
    {
        // Bash takes = for a word of its own.
        var cases = Switches.Everything.Where(known => known.Value is not null).Select(known => Choices(known, targets, environments) switch
        {
            null => $"    --{known.Name}) COMPREPLY=($(compgen {(known.Value == "DIRECTORY" ? "-d" : "-f")} -- \"$word\")) ;;",
            { Count: 0 } => $"    --{known.Name}) COMPREPLY=() ;;",
            var words => $"    --{known.Name}) COMPREPLY=($(compgen -W '{string.Join(' ', words)}' -- \"$word\")) ;;",
        });
        return $$"""
            # In ~/.bashrc: eval "$(./build.sh --completion=bash)"
            _cake_k3s() {
              local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
              if [[ $word == = ]]; then word=; elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
              case $before in
            {{string.Join('\n', cases)}}
                *)
                  COMPREPLY=($(compgen -W '{{string.Join(' ', Switches.Everything.Select(Form))}}' -- "$word"))
                  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi ;;
              esac
            }
            complete -F _cake_k3s build.sh ./build.sh

            """;
    }

    private static string Zsh(IReadOnlyList<string> targets, IReadOnlyList<string> environments)
    {
        var specifications = Switches.Everything.Select(known =>
        {
            var meaning = known.Meaning.Replace("'", "", StringComparison.Ordinal).Replace("[", "(", StringComparison.Ordinal).Replace("]", ")", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
            var value = known.Value is null ? "" : ":" + known.Value.ToLowerInvariant() + ":" + Choices(known, targets, environments) switch
            {
                null => known.Value == "DIRECTORY" ? "_files -/" : "_files",
                { Count: 0 } => "",
                var words => $"({string.Join(' ', words)})",
            };
            return $"    '--{known.Name}{(known.Value is null ? "" : "=")}[{meaning}]{value}'";
        });
        return $$"""
            # In ~/.zshrc, after compinit: eval "$(./build.sh --completion=zsh)"
            _cake_k3s() {
              _arguments -s \
            {{string.Join(" \\\n", specifications)}}
            }
            compdef _cake_k3s build.sh ./build.sh

            """;
    }

    private static string PowerShell(IReadOnlyList<string> targets, IReadOnlyList<string> environments)
    {
        var values = Switches.Everything
            .Where(known => Choices(known, targets, environments) is { Count: > 0 })
            .Select(known => $"        '--{known.Name}' = {List(Choices(known, targets, environments)!)}");
        return $$"""
            # In $PROFILE: ./build.ps1 --completion=powershell | Out-String | Invoke-Expression
            Register-ArgumentCompleter -Native -CommandName 'build.ps1', './build.ps1', 'build.sh', './build.sh' -ScriptBlock {
                param($wordToComplete, $commandAst, $cursorPosition)
                $values = @{
            {{string.Join('\n', values)}}
                }
                $name, $value = $wordToComplete -split '=', 2
                $words = if ($null -ne $value) { $values[$name] | ForEach-Object { "$name=$_" } } else { {{List(Switches.Everything.Select(Form))}} }
                $words | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }

            """;
    }

    private static string Form(Switch known) => known.Value is null ? $"--{known.Name}" : $"--{known.Name}=";

    private static string List(IEnumerable<string> words) => string.Join(", ", words.Select(word => $"'{word.Replace("'", "''", StringComparison.Ordinal)}'"));
}
