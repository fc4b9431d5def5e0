namespace Cake.K3s.Processes;

/// <summary>Commands that an operator wrote as one line, for a shell to read.</summary>
public static class ShellCommand
{
    /// <summary>
    /// The script in <c>sh</c>, which stops at the first line that fails; in PowerShell on Windows.
    /// </summary>
    public static Command Of(string script) => Of(script, OperatingSystem.IsWindows());

    internal static Command Of(string script, bool windows) => windows
        ? new Command("pwsh", "-NoProfile", "-NonInteractive", "-Command", "$ErrorActionPreference='Stop';$PSNativeCommandUseErrorActionPreference=$true;" + script)
        : new Command("sh", "-ec", script);
}
