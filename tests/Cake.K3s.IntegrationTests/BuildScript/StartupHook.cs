#pragma warning disable CA1050 // The runtime looks for this name in no namespace.

/// <summary>Runs in a host before its own Main (DOTNET_STARTUP_HOOKS), and writes down in the end what the host has loaded.</summary>
internal static class StartupHook
{
    /// <summary>Names the file to write to.</summary>
    public const string FileVariable = "TEST_LOADED_ASSEMBLIES";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(FileVariable) is { } file)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                File.WriteAllLines(file, AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name!));
        }
    }
}
