namespace Cake.K3s.Processes;

/// <summary>Writes a command the way a person would type it, so that it can be copied from an error into a shell.</summary>
internal static class CommandLine
{
    /// <summary>Program and arguments, quoted where a shell needs it. Not masked.</summary>
    public static string Of(Command command) => string.Join(' ', command.Arguments.Prepend(command.Program).Select(Quote));

    private static string Quote(string argument) =>
        argument.Length > 0 && argument.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./:=,@%+".Contains(letter, StringComparison.Ordinal))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
