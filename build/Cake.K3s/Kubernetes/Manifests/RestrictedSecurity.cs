using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>Security contexts that fit the strictest Pod Security Standard, <c>restricted</c>, for the pods that this library makes.</summary>
internal static class RestrictedSecurity
{
    /// <summary>A pod's.</summary>
    /// <param name="user">The user's number; also of the group that owns volumes.</param>
    public static JsonObject Pod(int user) => new()
    {
        ["runAsNonRoot"] = true,
        ["runAsUser"] = user,
        ["fsGroup"] = user,
        ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
    };

    /// <summary>A container's.</summary>
    public static JsonObject Container() => new()
    {
        ["allowPrivilegeEscalation"] = false,
        ["readOnlyRootFilesystem"] = true,
        ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
    };
}
