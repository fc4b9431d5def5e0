using Cake.K3s.Tools;
using Cake.K3s.Tools.Debian;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks;

/// <summary>ansible-playbook of the host's Debian release, unpacked, with connections kept and pipelined as its documentation advises.</summary>
internal static class Ansible
{
    private static readonly string[] Packages = ["ansible", "ansible-core", "python3-*"];

    /// <summary>A command that runs the playbook.</summary>
    /// <param name="services">For the packages.</param>
    /// <param name="folder">The folder with inventory, playbook and files.</param>
    /// <param name="arguments">Further arguments of ansible-playbook.</param>
    public static async Task<TimedCommand> CommandAsync(IServiceProvider services, string folder, params string[] arguments)
    {
        var root = await services.GetRequiredService<ContentStore>().EnsureAsync("ansible", "collections", directory => UnpackAsync(services, directory), CancellationToken.None);
        var libraries = string.Join(':', Directory.EnumerateDirectories(Path.Combine(root, "usr/lib"), "*-linux-gnu"));
        return new(
            "env",
            [
                "PYTHONPATH=" + Path.Combine(root, "usr/lib/python3/dist-packages"),
                "LD_LIBRARY_PATH=" + libraries,
                "ANSIBLE_HOST_KEY_CHECKING=False",
                "ANSIBLE_PIPELINING=True",
                "ANSIBLE_FORKS=5",
                "ANSIBLE_HOME=" + Path.Combine(folder, "ansible"),
                "python3",
                Path.Combine(root, "usr/bin/ansible-playbook"),
                "-i",
                Path.Combine(folder, "inventory"),
                Path.Combine(folder, "harden.yml"),
                .. arguments,
            ]);
    }

    private static async Task<string> UnpackAsync(IServiceProvider services, string directory)
    {
        var packages = services.GetRequiredService<IDebianPackages>();
        var closure = await packages.ResolveAsync(DebianRelease.Host, ["ansible"], withDependencies: true, CancellationToken.None);
        await packages.UnpackAsync(DebianRelease.Host, DebianSelection.WithLibraries(closure, Packages), directory, CancellationToken.None);
        return closure.First(package => package.Name == "ansible").Version;
    }
}
