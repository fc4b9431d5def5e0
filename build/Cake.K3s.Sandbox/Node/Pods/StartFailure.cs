namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Words a failed start as a kubelet over containerd does.</summary>
internal static class StartFailure
{
    public static string Describe(string error)
    {
        const string Docker = "failed to create task for container: ";
        var text = error.StartsWith(Docker, StringComparison.Ordinal) ? error[Docker.Length..] : error;
        return $"failed to create containerd task: {text}";
    }
}
