namespace Cake.K3s.Tools;

/// <summary>The external programs that the library knows how to find.</summary>
public enum ToolName
{
    /// <summary>Docker's buildx plugin, run directly as a program (no docker CLI needed).</summary>
    Buildx,

    /// <summary>Signs and verifies images.</summary>
    Cosign,

    /// <summary>Encrypts what Export writes.</summary>
    Age,

    /// <summary>For kustomize folders, and printed for the operator to check with.</summary>
    Kubectl,

    /// <summary>The Docker engine; the sandbox only.</summary>
    Dockerd,

    /// <summary>The CNCF distribution registry; the sandbox only.</summary>
    Registry,

    /// <summary>The PostgreSQL server with initdb beside it; the sandbox only.</summary>
    Postgres,
}
