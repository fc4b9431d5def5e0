using System.Collections.Immutable;
using Cake.K3s.Settings;

namespace Cake.K3s.Processes;

/// <summary>A program to run: data only; <see cref="ICommandRunner"/> runs it.</summary>
/// <param name="Program">A path, or a name that is looked up on PATH.</param>
/// <param name="Arguments">The arguments, one element each; no shell reads them. Never a secret: the type does not accept one.</param>
public sealed record Command(string Program, ImmutableArray<string> Arguments)
{
    /// <summary>Makes a command from a list of arguments.</summary>
    public Command(string program, params IEnumerable<string> arguments)
        : this(program, arguments.ToImmutableArray())
    {
    }

    /// <summary>Absolute path of the directory it runs in; null for the current one.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables added to the inherited environment; null removes one.</summary>
    public ImmutableDictionary<string, string?> Environment { get; init; } = ImmutableDictionary<string, string?>.Empty;

    /// <summary>Variables that carry secrets; they are masked in every line of output.</summary>
    public ImmutableDictionary<string, Secret> SecretEnvironment { get; init; } = ImmutableDictionary<string, Secret>.Empty;

    /// <summary>What is written to standard input, which is then closed; null for an empty input.</summary>
    public Secret? StandardInput { get; init; }

    /// <summary>After this long the process tree is ended and the command fails; null for no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Called with each line (masked, without its line end) as it comes, one at a time; null keeps the output quiet.
    /// </summary>
    public Action<OutputLine>? OnLine { get; init; }

    /// <summary>
    /// Standard output is a secret: it is neither passed to <see cref="OnLine"/> nor part of an error, and the result has it as
    /// <see cref="CommandResult.SecretOutput"/> alone.
    /// </summary>
    public bool OutputIsSecret { get; init; }

    /// <summary>Exit codes that are not a failure; 0 alone by default.</summary>
    public ImmutableArray<int> AcceptedExitCodes { get; init; } = [0];

    /// <summary>What the command is for, in an error's first line, e.g. <c>build image api</c>; null names the program.</summary>
    public string? Purpose { get; init; }

    /// <summary>What the operator does next when it fails, as one sentence; null where nothing can be said before the failure is known.</summary>
    public string? NextStep { get; init; }
}

/// <summary>One line of a program's output.</summary>
/// <param name="Text">The line, masked, without its line end.</param>
/// <param name="IsError">Whether it came from standard error.</param>
public readonly record struct OutputLine(string Text, bool IsError);
