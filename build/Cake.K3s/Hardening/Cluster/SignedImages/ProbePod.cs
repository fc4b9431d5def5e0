using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.SignedImages;

/// <summary>A pod that is only ever asked for as a dry run: it fits the strictest Pod Security Standard, so that only its image decides.</summary>
internal static class ProbePod
{
    /// <summary>The pod with an image.</summary>
    public static JsonObject Of(string ns, string image) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject { ["name"] = "cake-k3s-probe", ["namespace"] = ns },
        ["spec"] = new JsonObject
        {
            ["automountServiceAccountToken"] = false,
            ["restartPolicy"] = "Never",
            ["securityContext"] = RestrictedSecurity.Pod(65532),
            ["containers"] = new JsonArray(new JsonObject
            {
                ["name"] = "probe",
                ["image"] = image,
                ["resources"] = new JsonObject
                {
                    ["requests"] = new JsonObject { ["cpu"] = "1m", ["memory"] = "1Mi" },
                    ["limits"] = new JsonObject { ["cpu"] = "1m", ["memory"] = "1Mi" },
                },
                ["securityContext"] = RestrictedSecurity.Container(),
            }),
        },
    };
}
