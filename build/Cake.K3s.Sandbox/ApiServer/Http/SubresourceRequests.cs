using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Access;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Pods;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Subresources;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>Requests about what is under an object and is not the object in another form.</summary>
internal sealed class SubresourceRequests(
    ObjectStore store,
    ObjectWriter writer,
    PodRequests pods,
    Evictions evictions,
    Bindings bindings,
    ServiceAccountTokens tokens,
    AccessReviews reviews,
    ResourceCatalog catalog)
{
    /// <summary>Subresources that show and take the object itself.</summary>
    public static bool IsObjectItself(string? subresource)
        => subresource is null or "status" or "finalize" or "ephemeralcontainers" or "resize" or "approval";

    public Task HandleAsync(HttpContext context, RequestTarget target) => (target.Subresource, context.Request.Method) switch
    {
        ("scale", "GET") => ApiResponse.WriteAsync(context, 200, ScaleView.Of(target.Resource, Present(target))),
        ("scale", "PUT" or "PATCH") => ScaleAsync(context, target),
        ("log", "GET") => pods.LogAsync(context, target),
        ("exec", _) => pods.ExecAsync(context, target, attach: false),
        ("attach", _) => pods.ExecAsync(context, target, attach: true),
        ("portforward", _) => pods.PortForwardAsync(context, target),
        ("eviction", "POST") => EvictAsync(context, target),
        ("binding", "POST") => BindAsync(context, target, target.Name!),
        ("token", "POST") => TokenAsync(context, target),
        _ => throw ApiErrors.MethodNotAllowed(),
    };

    /// <summary>Answers a POST to a resource that keeps nothing.</summary>
    public async Task AnswerAsync(HttpContext context, RequestTarget target)
    {
        if (target.Resource.Kind == "Binding")
        {
            await BindAsync(context, target, null).ConfigureAwait(false);
            return;
        }

        var options = WriteOptions.Of(context.Request);
        var body = await RequestBody.ReadBytesAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        var review = ObjectDecoder.Decode(body, context.Request.ContentType, target.Resource, options);
        var answer = reviews.Answer(target.Resource, review, (ApiUser)context.Items[typeof(ApiUser)]!) ?? throw ApiErrors.MethodNotAllowed();
        await ApiResponse.WriteAsync(context, 201, answer).ConfigureAwait(false);
    }

    private async Task ScaleAsync(HttpContext context, RequestTarget target)
    {
        var options = WriteOptions.Of(context.Request);
        var body = await RequestBody.ReadBytesAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        var type = (context.Request.ContentType ?? "").Split(';')[0].Trim();
        Func<JsonObject, JsonObject> change = context.Request.Method == "PUT"
            ? present => ScaleView.Apply(target.Resource, present, RequestBody.ReadObject(body, type))
            : present => ScaleView.Apply(target.Resource, present, Patched(target, present, body, type));
        var updated = writer.Update(target.Resource, KeyOf(target), "scale", change, options);
        await ApiResponse.WriteAsync(context, 200, ScaleView.Of(target.Resource, ObjectWriter.FromStorage(target.Resource, updated))).ConfigureAwait(false);
    }

    private static JsonObject Patched(RequestTarget target, JsonObject present, byte[] body, string type)
    {
        var scale = ScaleView.Of(target.Resource, present);
        if (type == "application/apply-patch+yaml")
        {
            Patching.MergePatch.Apply(scale, RequestBody.ReadObject(body, "application/yaml"));
            return scale;
        }

        return ObjectPatcher.Change(target.Resource, body, type)(scale);
    }

    private async Task EvictAsync(HttpContext context, RequestTarget target)
    {
        var eviction = await ReadAsync(context).ConfigureAwait(false);
        var dryRun = WriteOptions.Of(context.Request).DryRun;
        await ApiResponse.WriteAsync(context, 201, evictions.Evict(target.Resource, KeyOf(target), eviction, dryRun)).ConfigureAwait(false);
    }

    private async Task BindAsync(HttpContext context, RequestTarget target, string? pod)
    {
        var binding = await ReadAsync(context).ConfigureAwait(false);
        var key = new ObjectKey("pods", target.StorageNamespace, pod ?? binding.Name() ?? "");
        var resource = pod is null ? catalog.Current.Find(target.Resource.Version, "pods")! : target.Resource;
        await ApiResponse.WriteAsync(context, 201, bindings.Bind(resource, key, binding, WriteOptions.Of(context.Request))).ConfigureAwait(false);
    }

    private async Task TokenAsync(HttpContext context, RequestTarget target)
    {
        var request = await ReadAsync(context).ConfigureAwait(false);
        request["kind"] = "TokenRequest";
        request["apiVersion"] = "authentication.k8s.io/v1";
        await ApiResponse.WriteAsync(context, 201, tokens.Issue(target.Resource, KeyOf(target), request)).ConfigureAwait(false);
    }

    private static async Task<JsonObject> ReadAsync(HttpContext context)
        => RequestBody.ReadObject(await RequestBody.ReadBytesAsync(context.Request, context.RequestAborted).ConfigureAwait(false), context.Request.ContentType);

    private JsonObject Present(RequestTarget target)
        => ObjectWriter.FromStorage(target.Resource, store.Find(KeyOf(target)) ?? throw ApiErrors.NotFound(target.Resource, target.Name!));

    private static ObjectKey KeyOf(RequestTarget target) => new(target.Resource.StorageName, target.StorageNamespace, target.Name!);
}
