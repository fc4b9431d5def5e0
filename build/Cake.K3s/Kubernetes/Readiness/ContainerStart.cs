namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Reads the container runtime's message about a container that it cannot start.</summary>
internal static class ContainerStart
{
    public const string WrongArchitectureReason = "WrongArchitecture";

    public const string WrongArchitectureAdvice =
        "build the image for the node's architecture (buildx --platform); compare `kubectl get nodes -L kubernetes.io/arch`";

    /// <summary>A verdict where the message says that starting it again does not help; else null.</summary>
    public static Verdict? Judge(string reason, string message)
    {
        if (IsWrongArchitecture(message))
        {
            return Verdict.Fatal(WrongArchitectureReason, message, WrongArchitectureAdvice);
        }

        if (Has("executable file not found") || Has("no such file or directory") || Has("permission denied") || Has("is a directory"))
        {
            return Verdict.Fatal(reason, message, "correct ENTRYPOINT or CMD in the Dockerfile, or command in the manifest");
        }

        if (Has("no command specified"))
        {
            return Verdict.Fatal(reason, message, "give the Dockerfile an ENTRYPOINT or CMD, or the manifest a command");
        }

        return null;

        bool Has(string part) => message.Contains(part, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a message of the runtime, or a line of the container's log, says that the program is for another processor.</summary>
    public static bool IsWrongArchitecture(string text) => text.Contains("exec format error", StringComparison.OrdinalIgnoreCase);
}
