using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Cake.K3s.Hosting;

namespace Cake.K3s.Diagnosis;

/// <summary>Looks at this machine: versions, and room on the disk.</summary>
internal sealed class MachineCheckup(RunOptions options)
{
    private const long Giga = 1_000_000_000;

    // An app of a few images takes about this: build cache, archives, the sandbox's registry and engine.
    private const long Comfortable = 5 * Giga;
    private const long Least = 1 * Giga;

    /// <summary>Looks.</summary>
    public IEnumerable<Observation> Examine()
    {
        var version = typeof(MachineCheckup).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        yield return Observation.Good("version", $"Cake.K3s {version} on {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}");
        yield return Disk(new DriveInfo(options.Root).AvailableFreeSpace, options.Root);
    }

    /// <summary>What free room says.</summary>
    internal static Observation Disk(long bytes, string directory)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Giga:0.0} GB free at {directory}");
        return bytes switch
        {
            < Least => Observation.Wrong("disk", text, "Free at least 5 GB: docker system prune, or --target=SandboxDown --purge where a sandbox is not needed any more."),
            < Comfortable => Observation.Warning("disk", text, "Images and build cache of an app take about 5 GB; docker system prune frees some."),
            _ => Observation.Good("disk", text),
        };
    }
}
