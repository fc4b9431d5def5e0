using System.Collections.Immutable;
using System.Globalization;
using Cake.Core;
using Cake.K3s.Kubernetes.Planning;

namespace Cake.K3s.Hosting;

/// <summary>Makes <see cref="RunOptions"/> from what Cake read from the command line.</summary>
internal static class RunOptionsReader
{
    /// <summary>Reads the options; relative paths are relative to the working directory.</summary>
    public static RunOptions Read(ICakeArguments arguments, ICakeEnvironment environment)
    {
        var working = environment.WorkingDirectory.FullPath;
        var file = Last(arguments, Switches.Settings) is { } given
            ? Path.GetFullPath(given, working)
            : Path.Combine(RepositoryRoot.Above(working), RepositoryRoot.SettingsFileName);
        return new RunOptions
        {
            Root = Path.GetDirectoryName(file)!,
            SettingsFile = file,
            WorkingDirectory = working,
            Environment = Last(arguments, Switches.Environment),
            Rebuild = arguments.HasArgument(Switches.Rebuild),
            ForceTag = arguments.HasArgument(Switches.ForceTag),
            Rerun = arguments.HasArgument(Switches.Rerun),
            LockWait = TimeSpan.FromSeconds(Number(arguments, Switches.LockWait) ?? 0),
            Image = Last(arguments, Switches.Image),
            Registry = Last(arguments, Switches.Registry),
            Mirror = Last(arguments, Switches.Mirror),
            Completion = Last(arguments, Switches.Completion),
            IsListing = arguments.GetArguments("target").All(target => target.Equals("Default", StringComparison.OrdinalIgnoreCase)),
            Backup = Last(arguments, Switches.Backup),
            Into = Last(arguments, Switches.Into),
            Confirm = arguments.HasArgument(Switches.Confirm),
            ToRelease = Number(arguments, Switches.To),
            PlanFile = PathOf(arguments, Switches.Plan, working),
            PlanOut = PathOf(arguments, Switches.Out, working),
            PlanFormat = FormatOf(arguments),
            ShowPlan = arguments.HasArgument(Switches.Plan) && PathOf(arguments, Switches.Plan, working) is null,
            Nodes = Names(arguments, Switches.Nodes),
            Controls = Names(arguments, Switches.Controls),
            FailOnDrift = arguments.HasArgument(Switches.FailOnDrift),
            ForceConflicts = arguments.HasArgument(Switches.ForceConflicts),
        };
    }

    private static string? PathOf(ICakeArguments arguments, string name, string working) =>
        Last(arguments, name) is { Length: > 0 } path ? Path.GetFullPath(path, working) : null;

    private static ImmutableArray<string> Names(ICakeArguments arguments, string name)
    {
        var names = arguments.GetArguments(name)
            .SelectMany(list => (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .ToImmutableArray();

        // An empty list would otherwise mean all of them.
        return names.IsEmpty && arguments.HasArgument(name)
            ? throw new K3sException(ExitCodes.BadInput, $"--{name} names nothing", $"e.g. --{name}=node-1,node-2")
            : names;
    }

    private static PlanFormat FormatOf(ICakeArguments arguments) => Last(arguments, Switches.Format)?.ToLowerInvariant() switch
    {
        null or "text" => PlanFormat.Text,
        "markdown" => PlanFormat.Markdown,
        "json" => PlanFormat.Json,
        var other => throw new K3sException(ExitCodes.BadInput, $"--{Switches.Format} is \"{other}\"; expected text, markdown or json", $"e.g. --{Switches.Format}=json"),
    };

    private static int? Number(ICakeArguments arguments, string name) => Last(arguments, name) switch
    {
        null => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        var text => throw new K3sException(ExitCodes.BadInput, $"--{name} is \"{text}\"; expected a whole number", $"e.g. --{name}=30"),
    };

    private static string? Last(ICakeArguments arguments, string name) => arguments.GetArguments(name).LastOrDefault();
}
