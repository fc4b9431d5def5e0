using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Opening;

/// <summary>The daemon's program, as this build of the library has it.</summary>
internal static class DaemonProgram
{
    private const string FileName = "Cake.K3s.Sandbox.dll";

    /// <summary>The command that starts it.</summary>
    /// <remarks>
    /// It runs from a copy in the sandbox: a rebuild writes to the files of the build's output, which a running process has
    /// mapped into its memory. The copy's name tells builds apart, so a daemon of another build is seen by its arguments.
    /// </remarks>
    public static Command Command(DaemonOptions options) => new(DotnetHost(), [Copy(options.Directory), .. options.ToArguments()])
    {
        WorkingDirectory = "/",
        Purpose = "start the sandbox's daemon",
    };

    private static string Copy(SandboxDirectory directory)
    {
        var version = $"{typeof(DaemonProgram).Module.ModuleVersionId:N}-{typeof(K3sException).Module.ModuleVersionId:N}";
        var folder = Path.Combine(directory.Programs, version);
        if (!Directory.Exists(folder))
        {
            PrivateFiles.MakeDirectory(directory.Root);
            var fresh = $"{folder}.{Guid.NewGuid():N}";
            CopyFiles(AppContext.BaseDirectory, fresh);
            try
            {
                Directory.Move(fresh, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Another run was first with the same files.
                Directory.Delete(fresh, recursive: true);
            }
        }

        return Path.Combine(folder, FileName);
    }

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            CopyFiles(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    // shared/Microsoft.NETCore.App/VERSION/System.Private.CoreLib.dll lies three folders below the host that runs this process.
    private static string DotnetHost() => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "..", "dotnet"));
}
