namespace Cake.K3s.Settings;

/// <summary>A file that the operator wrote is wrong. The message is <c>file:line:column: what was found, what was expected</c>; exit code 2.</summary>
public sealed class SettingsException : K3sException
{
    /// <summary>Makes the failure of one place in one file.</summary>
    /// <param name="file">The file, as the operator names it; null where no file is to blame.</param>
    /// <param name="line">The line, from 1; 0 where there is none.</param>
    /// <param name="column">The column, from 1; 0 where there is none.</param>
    /// <param name="problem">What was found and what was expected, without the place.</param>
    /// <param name="nextStep">What to do next, or null.</param>
    public SettingsException(string? file, int line, int column, string problem, string? nextStep = null)
        : base(ExitCodes.BadInput, Place(file, line, column) + problem, nextStep ?? Usual(file))
    {
        File = file;
        Line = line;
        Column = column;
    }

    /// <summary>The file, as the operator names it; null where no file is to blame.</summary>
    public string? File { get; }

    /// <summary>The line, from 1; 0 where there is none.</summary>
    public int Line { get; }

    /// <summary>The column, from 1; 0 where there is none.</summary>
    public int Column { get; }

    private static string Usual(string? file) => System.IO.Path.GetFileName(file) switch
    {
        "deploy.yaml" => "Correct it there; docs/settings.md explains every key.",
        null => "Correct it and run the same command again; --help lists targets and switches.",
        _ => "Correct it there and run the same command again.",
    };

    private static string Place(string? file, int line, int column) => (file, line, column) switch
    {
        (null, _, _) => "",
        (_, 0, _) => $"{file}: ",
        (_, _, 0) => $"{file}:{line}: ",
        _ => $"{file}:{line}:{column}: ",
    };
}
