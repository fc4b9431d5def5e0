using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Nodes.SshPort;

/// <summary>The files on the operator's machine that say at which port a node's SSH is: the SSH configuration, and deploy.yaml where it names a port.</summary>
internal sealed class OperatorFiles(PipelineRun run, EnvironmentVariables variables, IReporter reporter)
{
    private readonly Lock _writing = new();

    private string SshConfig => UserPath.Resolve(run.EnvironmentSettings.Hardening.SshConfig ?? "~/.ssh/config", run.Settings.Root, variables);

    /// <summary>Writes a node's port to the files, where they say something else.</summary>
    public void Use(Node node, int port)
    {
        Rewrite(SshConfig, text => SshConfigEntry.Set(text, node.Host, port), $"{node.Name} is at port {port}");
        Rewrite(run.Settings.File, text => InventoryPort.Set(text, run.Settings.File, run.EnvironmentSettings.Name, node.Name, port), $"{node.Name} is at port {port}");
    }

    /// <summary>Takes a node's port out of the SSH configuration.</summary>
    public void Forget(Node node) => Rewrite(SshConfig, text => SshConfigEntry.Remove(text, node.Host), $"{node.Name} is at its former port");

    private void Rewrite(string file, Func<string, string> edit, string what)
    {
        // Several nodes may be done at the same time.
        using var one = _writing.EnterScope();
        var before = File.Exists(file) ? File.ReadAllText(file) : "";
        var after = edit(before);
        if (after == before)
        {
            return;
        }

        // Another program may read it at this moment: the new content comes whole, with the old one's mode.
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = File.Exists(file) ? File.GetUnixFileMode(file) : UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var part = file + ".new";
        using (var writer = new StreamWriter(part, options))
        {
            writer.Write(after);
        }

        File.Move(part, file, overwrite: true);
        reporter.Step("SshPort", $"{file}: {what}");
    }
}
