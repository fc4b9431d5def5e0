using System.Collections.Immutable;

namespace Cake.K3s.Sandbox.BaseImages;

/// <summary>The base images that the sandbox can make.</summary>
internal static class BaseImageCatalog
{
    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>By name.</summary>
    public static ImmutableDictionary<string, BaseImage> All { get; } =
        new[] { AspNet(DotnetRuntime.OfThisProcess), Redis(), BusyBox(), Backup() }.ToImmutableDictionary(image => image.Name);

    /// <summary>Stands in for mcr.microsoft.com/dotnet/aspnet: the shared runtimes of this machine's own .NET.</summary>
    private static BaseImage AspNet(DotnetRuntime runtime) => new()
    {
        Name = "aspnet",
        Recipe = runtime.Version,
        Packages = ["libc6", "libgcc-s1", "libstdc++6", "zlib1g", "openssl", "ca-certificates", "tzdata"],
        // Of openssl the library, under the name that the release has for it.
        Keeps = package => package is "libc6" or "libgcc-s1" or "libstdc++6" or "zlib1g" or "libzstd1" or "ca-certificates" or "tzdata"
            || package.StartsWith("libssl", StringComparison.Ordinal),
        User = ("app", 1654),
        OwnDirectories = ["home/app"],
        // As in Microsoft's small images: there is no ICU in it.
        Variables =
        [
            DefaultPath, "APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080", "DOTNET_RUNNING_IN_CONTAINER=true",
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true", "DOTNET_VERSION=" + runtime.Version,
        ],
        AddRuntime = runtime.AddTo,
    };

    /// <summary>Stands in for docker.io/library/redis.</summary>
    private static BaseImage Redis() => new()
    {
        Name = "redis",
        Recipe = "1",
        Packages = ["redis-server", "redis-tools"],
        // The rest is for installing and starting it on a machine.
        Keeps = package => package is "redis-server" or "redis-tools" or "zlib1g"
            || package.StartsWith("lib", StringComparison.Ordinal)
            || package.StartsWith("lua", StringComparison.Ordinal),
        User = ("redis", 999),
        OwnDirectories = ["data"],
        Variables = [DefaultPath],
        Entrypoint = ["redis-server"],
    };

    /// <summary>Stands in for docker.io/library/busybox.</summary>
    private static BaseImage BusyBox() => new()
    {
        Name = "busybox",
        Recipe = "2",
        Packages = ["busybox-static"],
        Keeps = package => package == "busybox-static",
        User = ("nobody", 65534),
        Variables = [DefaultPath],
        Entrypoint = ["sh"],
        AddRuntime = tree =>
        {
            foreach (var applet in (string[])["sh", "nc", "nslookup", "wget", "sleep", "echo", "cat", "ls", "env", "test", "true", "false"])
            {
                tree.AddLink("usr/local/bin/" + applet, "/usr/bin/busybox");
            }

            // What RUN starts.
            tree.AddLink("bin/sh", "/usr/bin/busybox");
        },
    };

    /// <summary>What the backup Job's scripts use. There is no published image of just this; production's is made with five lines (docs/backups.md).</summary>
    private static BaseImage Backup() => new()
    {
        Name = "backup",
        Recipe = "1",
        Packages = ["postgresql-client-17", "age", "curl", "tar", "coreutils", "sed", "dash", "ca-certificates"],
        Keeps = package => package is "postgresql-client-17" or "age" or "curl" or "tar" or "coreutils" or "sed" or "dash" or "ca-certificates" or "zlib1g" or "openssl"
            || package.StartsWith("lib", StringComparison.Ordinal),
        User = ("backup", 1654),
        Variables = ["PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    };
}
