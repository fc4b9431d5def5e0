namespace Cake.Frosting.Running;

/// <summary>A value given by <see cref="CakeHostExtensions.UseCakeSetting"/>.</summary>
internal sealed record CakeSetting(string Key, string Value)
{
    /// <summary>
    /// The setting that names the switches which tasks know, separated by commas. Where it is given, all others are errors.
    /// Cake itself does not know it.
    /// </summary>
    public const string KnownArguments = "Frosting_KnownArguments";
}
