using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Pods;

/// <summary>Writes a status, when it differs from the known one.</summary>
internal static class StatusWriter
{
    public static async Task<T> WriteAsync<T>(ControllerContext context, T item, object? known, object status, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (MergePatch.Between(known, status) is not { } patch)
        {
            return item;
        }

        var body = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = item.Metadata.Uid }, ["status"] = patch };
        var written = await context.Client.PatchAsync<T>(ObjectKey.Of(item), body, cancellationToken, "status");
        context.Cache.Of<T>().Observe(written);
        return written;
    }
}
