namespace Cake.Frosting.Running;

/// <summary>A value given by <see cref="CakeHostExtensions.UseCakeSetting"/>.</summary>
internal sealed record CakeSetting(string Key, string Value)
{
    /// <summary>
    /// The setting that names the switches which tasks know, separated by commas. Where it is given, all others are errors.
    /// Cake itself does not know it.
    /// </summary>
    public const string KnownArguments = "Frosting_KnownArguments";

    /// <summary>The setting whose lines <c>--help</c> shows for the tasks' switches, in place of their names.</summary>
    public const string ArgumentsHelp = "Frosting_ArgumentsHelp";

    /// <summary>The setting with the command that <c>--help</c> tells to type; the program's own name where it is not given.</summary>
    public const string Program = "Frosting_Program";
}
