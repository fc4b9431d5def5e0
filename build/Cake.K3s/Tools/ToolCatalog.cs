using System.Collections.Immutable;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Tools;

/// <summary>All tools that the library knows how to find.</summary>
internal static class ToolCatalog
{
    /// <summary>The definitions by name.</summary>
    public static ImmutableDictionary<ToolName, ToolDefinition> All { get; } = new[]
    {
        new ToolDefinition
        {
            Name = ToolName.Buildx,
            Title = "docker-buildx",
            Programs = ["docker-buildx"],
            Places =
            [
                "~/.docker/cli-plugins",
                "/usr/local/lib/docker/cli-plugins",
                "/usr/local/libexec/docker/cli-plugins",
                "/usr/lib/docker/cli-plugins",
                "/usr/libexec/docker/cli-plugins",
                "/Applications/Docker.app/Contents/Resources/cli-plugins",
            ],
            // 0.13 is the first whose docker driver writes OCI archives from the containerd image store.
            Probe = new(["version"], @"buildx v?(\d+\.\d+(?:\.\d+)?)", new Version(0, 13)),
            Debian = [new(DebianRelease.Current, ["docker-buildx"])],
            DebianProgram = "usr/libexec/docker/cli-plugins/docker-buildx",
            Advice = "Install Docker's buildx plugin (package docker-buildx of Debian 13, docker-buildx-plugin of Docker, or Docker Desktop).",
        },
        new ToolDefinition
        {
            Name = ToolName.Cosign,
            Title = "cosign",
            Programs = ["cosign"],
            Probe = new(["version"], @"GitVersion:\s+v?(\d+\.\d+(?:\.\d+)?)", new Version(2, 5)),
            Debian = [new(DebianRelease.Current, ["cosign"])],
            DebianProgram = "usr/bin/cosign",
            Advice = "Install cosign 2.5 or newer (package cosign of Debian 13, brew install cosign, or a release of sigstore/cosign).",
        },
        new ToolDefinition
        {
            Name = ToolName.Age,
            Title = "age",
            Programs = ["age"],
            Probe = new(["--version"], @"v?(\d+\.\d+(?:\.\d+)?)", new Version(1, 0)),
            Debian = [new(DebianRelease.Current, ["age"])],
            DebianProgram = "usr/bin/age",
            Advice = "Install age 1.0 or newer (package age of Debian and Ubuntu, brew install age, or a release of FiloSottile/age).",
        },
        new ToolDefinition
        {
            Name = ToolName.Kubectl,
            Title = "kubectl",
            Programs = ["kubectl"],
            // 1.27 is the first whose kustomize is version 5.
            Probe = new(["version", "--client"], @"Client Version: v(\d+\.\d+(?:\.\d+)?)", new Version(1, 27)),
            Debian = [new(DebianRelease.Current, ["kubectl"])],
            DebianProgram = "usr/bin/kubectl",
            Advice = "Install kubectl 1.27 or newer (package kubectl of Debian 13, brew install kubectl, or a release of Kubernetes).",
        },
        new ToolDefinition
        {
            Name = ToolName.Dockerd,
            Title = "dockerd",
            Programs = ["dockerd"],
            // 24 is the first with the containerd image store that buildx needs to write OCI archives.
            Probe = new(["--version"], @"version v?(\d+\.\d+(?:\.\d+)?)", new Version(24, 0)),
            Companions = ["containerd", "containerd-shim-runc-v2", "runc", "iptables"],
            // runc of a newer release wants a newer libc, and iptables has to fit the host's kernel modules.
            Debian =
            [
                new(DebianRelease.Current, ["docker.io", "containerd", "tini"]),
                new(DebianRelease.Host, ["runc", "iptables", "libsystemd0"], WithLibraries: true),
            ],
            DebianProgram = "usr/sbin/dockerd",
            DebianLinks = ImmutableDictionary<string, string>.Empty
                .Add("usr/sbin/iptables", "xtables-nft-multi")
                .Add("usr/sbin/iptables-save", "xtables-nft-multi")
                .Add("usr/sbin/iptables-restore", "xtables-nft-multi")
                .Add("usr/sbin/ip6tables", "xtables-nft-multi")
                .Add("usr/sbin/ip6tables-save", "xtables-nft-multi")
                .Add("usr/sbin/ip6tables-restore", "xtables-nft-multi"),
            DebianIsBundle = true,
            Advice = "Install a Docker engine 24 or newer, or start the one that is there; its socket is enough.",
        },
        new ToolDefinition
        {
            Name = ToolName.Registry,
            Title = "docker-registry",
            Programs = ["docker-registry"],
            Probe = new(["--version"], @"distribution v?(\d+\.\d+(?:\.\d+)?)", new Version(2, 8)),
            Debian = [new(DebianRelease.Current, ["docker-registry"])],
            DebianProgram = "usr/bin/docker-registry",
            Advice = "Install the CNCF distribution registry (package docker-registry of Debian and Ubuntu).",
        },
        new ToolDefinition
        {
            Name = ToolName.Postgres,
            Title = "postgres",
            Programs = ["postgres"],
            Places = ["/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin"],
            Probe = new(["--version"], @"PostgreSQL\) (\d+\.\d+)", new Version(13, 0)),
            Companions = ["initdb"],
            // The server links half of the system's libraries, so it is the host's own release that fits.
            Debian = [new(DebianRelease.Host, ["postgresql", "postgresql-*"], WithLibraries: true)],
            DebianProgram = "usr/lib/postgresql/*/bin/postgres",
            // The compiler of queries, without the 100 MB of LLVM that it links: the server does without when it is absent.
            DebianLeftOut = ["usr/lib/postgresql/*/lib/llvmjit.so", "usr/lib/postgresql/*/lib/bitcode"],
            DebianIsBundle = true,
            Advice = "Install PostgreSQL 13 or newer (package postgresql of Debian and Ubuntu, brew install postgresql).",
        },
    }.ToImmutableDictionary(definition => definition.Name);
}
