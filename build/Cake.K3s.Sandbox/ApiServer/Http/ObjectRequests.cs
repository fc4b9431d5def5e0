using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Printing;
using Cake.K3s.Sandbox.ApiServer.Reading;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>Requests about objects: the verbs of the API.</summary>
internal sealed class ObjectRequests(
    ObjectStore store,
    ListReader lists,
    WatchStreamer watches,
    ObjectWriter writer,
    ObjectPatcher patcher,
    ObjectDeleter deleter,
    TablePrinter tables,
    SubresourceRequests subresources,
    IHostApplicationLifetime lifetime)
{
    public Task HandleAsync(HttpContext context, RequestTarget target)
    {
        var method = context.Request.Method;
        if (target.Name is null)
        {
            return method switch
            {
                "GET" or "HEAD" => ListOrWatchAsync(context, Allowed(target, "list")),
                "POST" when !target.Resource.Verbs.Contains("get") => subresources.AnswerAsync(context, Allowed(target, "create")),
                "POST" => CreateAsync(context, Allowed(target, "create")),
                "DELETE" => DeleteCollectionAsync(context, Allowed(target, "deletecollection")),
                _ => throw ApiErrors.MethodNotAllowed(),
            };
        }

        if (target.Resource.Namespaced && target.Namespace is null)
        {
            throw ApiErrors.NoSuchPath();
        }

        if (!SubresourceRequests.IsObjectItself(target.Subresource))
        {
            return target.Resource.HasSubresource(target.Subresource!) ? subresources.HandleAsync(context, target) : throw ApiErrors.NoSuchPath();
        }

        return method switch
        {
            "GET" or "HEAD" => GetAsync(context, Allowed(target, "get")),
            "PUT" => ReplaceAsync(context, Allowed(target, "update")),
            "PATCH" => PatchAsync(context, Allowed(target, "patch")),
            "DELETE" when target.Subresource is null => DeleteAsync(context, Allowed(target, "delete")),
            _ => throw ApiErrors.MethodNotAllowed(),
        };
    }

    private static RequestTarget Allowed(RequestTarget target, string verb)
    {
        if (target.Subresource is { } name)
        {
            var subresource = target.Resource.Subresources.FirstOrDefault(sub => sub.Name == name) ?? throw ApiErrors.NoSuchPath();
            return subresource.Verbs.Contains(verb) ? target : throw ApiErrors.MethodNotAllowed();
        }

        return target.Resource.Verbs.Contains(verb) ? target : throw ApiErrors.MethodNotAllowed();
    }

    private Task ListOrWatchAsync(HttpContext context, RequestTarget target)
    {
        var form = ResponseForm.Negotiate(context.Request.Headers.Accept.ToString());
        var filter = ObjectFilter.Of(target, context.Request.Query);
        if (context.Request.Query["watch"].ToString() is "true" or "1")
        {
            return watches.StreamAsync(context, target, filter, form, lifetime.ApplicationStopping);
        }

        var page = lists.Read(target, filter, context.Request.Query);
        context.Response.ContentType = form.ContentType;
        switch (form.Form)
        {
            case ObjectForm.Table:
                var values = page.Objects.Select(item => ObjectWriter.FromStorage(target.Resource, item)).ToList();
                return ApiResponse.WriteAsync(context, 200,
                    tables.Print(target.Resource, values, ListReader.Metadata(page), TableOptions.Of(context.Request.Query)));
            case ObjectForm.Metadata:
                return ApiResponse.WriteAsync(context, 200, new JsonObject
                {
                    ["kind"] = "PartialObjectMetadataList",
                    ["apiVersion"] = "meta.k8s.io/v1",
                    ["metadata"] = ListReader.Metadata(page),
                    ["items"] = new JsonArray([.. page.Objects.Select(item => PartialMetadata.Of(item.ReadObject()))]),
                });
            default:
                ListReader.Write(target.Resource, page, context.Response.BodyWriter);
                return context.Response.BodyWriter.FlushAsync(context.RequestAborted).AsTask();
        }
    }

    private Task GetAsync(HttpContext context, RequestTarget target)
    {
        var form = ResponseForm.Negotiate(context.Request.Headers.Accept.ToString());
        return ShowAsync(context, 200, target, Present(target), form);
    }

    private async Task CreateAsync(HttpContext context, RequestTarget target)
    {
        var (form, options, body) = await ReadWriteAsync(context).ConfigureAwait(false);
        var value = ObjectDecoder.Decode(body, context.Request.ContentType, target.Resource, options);
        var name = target.Namespace ?? (target.Resource.Namespaced ? throw ApiErrors.MethodNotAllowed() : "");
        var created = writer.Create(target.Resource, name, value, options);
        ApiResponse.Warn(context, options.Warnings);
        await ShowAsync(context, 201, target, created, form).ConfigureAwait(false);
    }

    private async Task ReplaceAsync(HttpContext context, RequestTarget target)
    {
        var (form, options, body) = await ReadWriteAsync(context).ConfigureAwait(false);
        var value = ObjectDecoder.Decode(body, context.Request.ContentType, target.Resource, options);
        if (value.Name() != target.Name)
        {
            throw ApiErrors.BadRequest($"the name of the object ({value.Name()}) does not match the name on the URL ({target.Name})");
        }

        var updated = writer.Update(target.Resource, KeyOf(target), target.Subresource, _ => value.Copy(), options);
        ApiResponse.Warn(context, options.Warnings);
        await ShowAsync(context, 200, target, updated, form).ConfigureAwait(false);
    }

    private async Task PatchAsync(HttpContext context, RequestTarget target)
    {
        var (form, options, body) = await ReadWriteAsync(context).ConfigureAwait(false);
        var (patched, created) = patcher.Patch(
            target.Resource, KeyOf(target), target.Subresource, body, context.Request.ContentType, context.Request.Query.ContainsKey("fieldManager"), options);
        ApiResponse.Warn(context, options.Warnings);
        await ShowAsync(context, created ? 201 : 200, target, patched, form).ConfigureAwait(false);
    }

    private async Task DeleteAsync(HttpContext context, RequestTarget target)
    {
        var request = await ReadDeleteAsync(context).ConfigureAwait(false);
        var answer = deleter.Delete(target.Resource, KeyOf(target), request);
        ApiResponse.Warn(context, request.Warnings);
        await ApiResponse.WriteAsync(context, 200, answer).ConfigureAwait(false);
    }

    private async Task DeleteCollectionAsync(HttpContext context, RequestTarget target)
    {
        var request = await ReadDeleteAsync(context).ConfigureAwait(false);
        var page = lists.Read(target, ObjectFilter.Of(target, context.Request.Query), context.Request.Query);
        foreach (var item in page.Objects)
        {
            try
            {
                deleter.Delete(target.Resource, item.Key, request);
            }
            catch (ApiException exception) when (exception.Code == 404)
            {
                // Somebody else was faster, with the same result.
            }
        }

        context.Response.ContentType = "application/json";
        ListReader.Write(target.Resource, page, context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task<DeleteRequest> ReadDeleteAsync(HttpContext context)
    {
        var body = await RequestBody.ReadBytesAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        var request = DeleteRequest.Of(body.Length == 0 ? null : RequestBody.ReadObject(body, context.Request.ContentType), context.Request.Query);
        return request with { User = (ApiUser)context.Items[typeof(ApiUser)]! };
    }

    private static async Task<(ResponseForm Form, WriteOptions Options, byte[] Body)> ReadWriteAsync(HttpContext context)
    {
        var form = ResponseForm.Negotiate(context.Request.Headers.Accept.ToString());
        var options = WriteOptions.Of(context.Request);
        var body = await RequestBody.ReadBytesAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        return (form, options, body);
    }

    private Task ShowAsync(HttpContext context, int code, RequestTarget target, StoredObject value, ResponseForm form)
    {
        if (form.Form == ObjectForm.Whole && target.Resource.Version == target.Resource.StorageVersion)
        {
            return ApiResponse.WriteAsync(context, code, value.Json);
        }

        var content = ObjectWriter.FromStorage(target.Resource, value);
        return ApiResponse.WriteAsync(context, code, form.Form switch
        {
            ObjectForm.Table => tables.Print(target.Resource, [content], null, TableOptions.Of(context.Request.Query)),
            ObjectForm.Metadata => PartialMetadata.Of(content),
            _ => content,
        });
    }

    private StoredObject Present(RequestTarget target)
        => store.Find(KeyOf(target)) ?? throw ApiErrors.NotFound(target.Resource, target.Name!);

    private static ObjectKey KeyOf(RequestTarget target) => new(target.Resource.StorageName, target.StorageNamespace, target.Name!);
}
