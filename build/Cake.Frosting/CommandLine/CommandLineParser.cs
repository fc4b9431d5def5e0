using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Shared;

namespace Cake.Frosting.CommandLine;

/// <summary>
/// Reads the command line. A switch that the host does not have is an argument for the tasks, unless it looks like a
/// mistyped one of the host's: the fallback would be a real run.
/// </summary>
internal sealed class CommandLineParser
{
    private readonly IReadOnlyCollection<string>? _knownArguments;
    private readonly Dictionary<HostSwitch, List<string>> _given = [];
    private readonly List<KeyValuePair<string, string?>> _arguments = [];

    /// <summary>Makes a parser.</summary>
    /// <param name="knownArguments">The names, without dashes, that tasks know; null where any is let through.</param>
    public CommandLineParser(IReadOnlyCollection<string>? knownArguments = null)
    {
        _knownArguments = knownArguments;
    }

    /// <summary>Reads a command line.</summary>
    /// <exception cref="CommandLineException">It is wrong.</exception>
    public static HostOptions Parse(IReadOnlyList<string> args, IReadOnlyCollection<string>? knownArguments = null) =>
        new CommandLineParser(knownArguments).Parse(args);

    private HostOptions Parse(IReadOnlyList<string> args)
    {
        var checkNames = true;
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] == "--")
            {
                checkNames = false;
                continue;
            }

            if (!IsSwitch(args[i]))
            {
                throw new CommandLineException(
                    $"'{args[i]}' is not a switch. A task is named with --target, e.g. --target={args[i]}.");
            }

            var (name, value) = Split(args[i]);
            var hostSwitch = checkNames ? HostSwitch.All.FirstOrDefault(candidate => candidate.Names.Contains(name)) : null;
            if (hostSwitch is null && checkNames)
            {
                CheckName(name);
            }

            // A word after a switch is its value, except after a flag, which would swallow it.
            var takesNext = hostSwitch is null || hostSwitch.ValueName is not null;
            if (value is null && takesNext && i + 1 < args.Count && args[i + 1] != "--" && !IsSwitch(args[i + 1]))
            {
                value = args[++i];
            }

            Take(hostSwitch, name, value);
        }

        return Options();
    }

    private static bool IsSwitch(string word) => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]);

    private static (string Name, string? Value) Split(string word)
    {
        var separator = word.IndexOfAny(['=', ':']);
        return separator < 0 ? (word, null) : (word[..separator], word[(separator + 1)..]);
    }

    private void CheckName(string name)
    {
        if (_knownArguments?.Contains(name.TrimStart('-'), StringComparer.OrdinalIgnoreCase) == true)
        {
            return;
        }

        var typed = name.TrimStart('-');
        var hostNames = HostSwitch.All.SelectMany(hostSwitch => hostSwitch.Names).Where(candidate => candidate.StartsWith("--"))
            .Select(candidate => candidate[2..]).ToList();
        var nearest = typed.Length < 2 ? null : hostNames.Find(candidate => typed.Length > 2 && candidate.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
            ?? NearestName.Find(typed, hostNames.Concat(_knownArguments ?? []));
        if (nearest is not null)
        {
            throw new CommandLineException($"Unknown switch '{name}'. Did you mean --{nearest}?");
        }

        if (_knownArguments is not null)
        {
            throw new CommandLineException($"Unknown switch '{name}'. --help lists the switches.");
        }
    }

    private void Take(HostSwitch? hostSwitch, string name, string? value)
    {
        if (hostSwitch is null)
        {
            _arguments.Add(new(name.TrimStart('-'), value));
            return;
        }

        if (hostSwitch.ValueName is not null && string.IsNullOrWhiteSpace(value))
        {
            throw new CommandLineException($"{name} needs a value: {name} {hostSwitch.ValueName}.");
        }

        if (hostSwitch.ValueName is null && value is not (null or "true" or "false"))
        {
            throw new CommandLineException($"{name} is a flag and takes no value but true or false, not '{value}'.");
        }

        _given.TryAdd(hostSwitch, []);
        _given[hostSwitch].Add(value ?? "true");
    }

    private HostOptions Options()
    {
        var targets = _given.GetValueOrDefault(HostSwitch.Target) ?? ["Default"];
        var arguments = _arguments.Concat(targets.Select(target => KeyValuePair.Create("target", (string?)target)));
        return new HostOptions
        {
            Targets = targets,
            Mode = Mode(),
            Exclusive = IsSet(HostSwitch.Exclusive),
            Verbosity = Last(HostSwitch.Verbosity) is { } level ? VerbosityOf(level) : Verbosity.Normal,
            WorkingDirectory = Last(HostSwitch.Working) is { } directory ? new DirectoryPath(directory) : null,

            // Cake's own hosts pass the missing value of a flag on as null.
            Arguments = new CakeArguments(arguments.ToLookup(argument => argument.Key, argument => argument.Value!, StringComparer.OrdinalIgnoreCase)),
        };
    }

    private HostMode Mode() =>
        IsSet(HostSwitch.Help) ? HostMode.Help
        : IsSet(HostSwitch.Version) ? HostMode.Version
        : IsSet(HostSwitch.Info) ? HostMode.Info
        : IsSet(HostSwitch.DryRun) ? HostMode.DryRun
        : IsSet(HostSwitch.Tree) ? HostMode.Tree
        : IsSet(HostSwitch.Description) ? HostMode.Description
        : HostMode.Run;

    private bool IsSet(HostSwitch flag) => Last(flag) == "true";

    private string? Last(HostSwitch hostSwitch) => _given.GetValueOrDefault(hostSwitch)?[^1];

    private static Verbosity VerbosityOf(string level)
    {
        var names = Enum.GetNames<Verbosity>();
        var name = Array.Find(names, candidate => candidate.Equals(level, StringComparison.OrdinalIgnoreCase)
            || (level.Length == 1 && char.ToUpperInvariant(level[0]) == candidate[0]));
        if (name is not null)
        {
            return Enum.Parse<Verbosity>(name);
        }

        var nearest = NearestName.Find(level, names) is { } known ? $" Did you mean {known.ToLowerInvariant()}?" : "";
        throw new CommandLineException($"Unknown verbosity '{level}'.{nearest} It is one of {string.Join(", ", names).ToLowerInvariant()}.");
    }
}
