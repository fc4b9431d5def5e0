namespace Cake.K3s.Sandbox.BaseImages;

/// <summary>A .NET installation whose runtimes are copied into an image.</summary>
/// <param name="Root">The directory of <c>dotnet</c>.</param>
/// <param name="Version">The version of Microsoft.NETCore.App.</param>
internal sealed record DotnetRuntime(string Root, string Version)
{
    private const string Place = "usr/share/dotnet";

    /// <summary>The installation that runs this process.</summary>
    public static DotnetRuntime OfThisProcess { get; } = Of(Path.GetDirectoryName(typeof(object).Assembly.Location)!);

    /// <summary>The host and the two shared runtimes that an ASP.NET Core app needs.</summary>
    public void AddTo(ImageTree tree)
    {
        var resolver = Newest(Path.Combine(Root, "host", "fxr"));
        var web = Newest(Path.Combine(Root, "shared", "Microsoft.AspNetCore.App"));
        tree.AddFile($"{Place}/dotnet", Path.Combine(Root, "dotnet"));
        tree.AddTree($"{Place}/host/fxr/{Path.GetFileName(resolver)}", resolver);
        tree.AddTree($"{Place}/shared/Microsoft.NETCore.App/{Version}", Path.Combine(Root, "shared", "Microsoft.NETCore.App", Version));
        tree.AddTree($"{Place}/shared/Microsoft.AspNetCore.App/{Path.GetFileName(web)}", web);
        tree.AddLink("usr/bin/dotnet", $"/{Place}/dotnet");
    }

    // ROOT/shared/Microsoft.NETCore.App/VERSION
    private static DotnetRuntime Of(string framework) =>
        new(Path.GetFullPath(Path.Combine(framework, "..", "..", "..")), Path.GetFileName(framework));

    private string Newest(string directory) =>
        Directory.Exists(directory)
        && Directory.EnumerateDirectories(directory)
            .Where(candidate => System.Version.TryParse(Path.GetFileName(candidate), out var version)
                && version.Major == System.Version.Parse(Version).Major)
            .MaxBy(candidate => System.Version.Parse(Path.GetFileName(candidate))) is { } newest
            ? newest
            : throw new K3sException(
                ExitCodes.RequirementMissing,
                $"the sandbox's base image 'aspnet' cannot be made: {directory} has no runtime that goes with .NET {Version}",
                "Install the ASP.NET Core runtime (it comes with the SDK), or name a base image that can be pulled.");
}
