using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Printing;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Reading;

/// <summary>Answers watches: the changes of a collection, one JSON document a line, until the client leaves or its time is up.</summary>
internal sealed class WatchStreamer(ObjectStore store, TablePrinter tables, ApiServerOptions options)
{
    private static readonly TimeSpan BookmarkEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWatch = TimeSpan.FromMinutes(30);

    public async Task StreamAsync(HttpContext context, RequestTarget target, ObjectFilter filter, ResponseForm form, CancellationToken stopping)
    {
        var query = context.Request.Query;
        var asked = query["resourceVersion"].ToString();
        var sendInitial = query["sendInitialEvents"].ToString() is "true" or "1";
        var bookmarks = query["allowWatchBookmarks"].ToString() is "true" or "1";
        long? since = sendInitial || asked is "" or "0" ? null : ResourceVersions.Parse(asked);
        using var feed = store.Watch(target.Resource.StorageName, since, out var start, out var oldest);
        var output = context.Response.BodyWriter;
        var writer = new EventWriter(output, target, form, tables);
        context.Response.ContentType = "application/json";
        if (feed is null)
        {
            writer.Write("ERROR", ApiErrors.Gone(since!.Value, oldest).Status());
            await output.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            return;
        }

        foreach (var item in start)
        {
            if (filter.Matches(item))
            {
                writer.Write("ADDED", item);
                if (output is { CanGetUnflushedBytes: true, UnflushedBytes: > 1 << 18 })
                {
                    await output.FlushAsync(context.RequestAborted).ConfigureAwait(false);
                }
            }
        }

        if (sendInitial && bookmarks)
        {
            writer.WriteBookmark(feed.Revision, initial: true);
        }

        await context.Response.StartAsync(context.RequestAborted).ConfigureAwait(false);
        await output.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        await FollowAsync(context, feed, filter, writer, bookmarks, Duration(query), stopping).ConfigureAwait(false);
    }

    private async Task FollowAsync(
        HttpContext context, WatchFeed feed, ObjectFilter filter, EventWriter writer, bool bookmarks, TimeSpan duration, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(duration, options.Clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, context.RequestAborted, stopping);
        var last = feed.Revision;
        try
        {
            while (true)
            {
                using var pause = new CancellationTokenSource(BookmarkEvery, options.Clock);
                using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ending.Token, pause.Token);
                try
                {
                    if (!await feed.Changes.WaitToReadAsync(waiting.Token).ConfigureAwait(false))
                    {
                        return;
                    }
                }
                catch (OperationCanceledException) when (pause.IsCancellationRequested && !ending.IsCancellationRequested)
                {
                    if (bookmarks)
                    {
                        writer.WriteBookmark(last, initial: false);
                        await context.Response.BodyWriter.FlushAsync(ending.Token).ConfigureAwait(false);
                    }

                    continue;
                }

                var wrote = false;
                while (feed.Changes.TryRead(out var change))
                {
                    last = change.Object.ResourceVersion;
                    wrote |= writer.WriteChange(change, filter);
                }

                if (wrote)
                {
                    await context.Response.BodyWriter.FlushAsync(ending.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            if (bookmarks && timeout.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
            {
                writer.WriteBookmark(last, initial: false);
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            }
        }
    }

    private static TimeSpan Duration(IQueryCollection query)
        => int.TryParse(query["timeoutSeconds"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0
            ? TimeSpan.FromSeconds(seconds)
            : LongestWatch;

    private sealed class EventWriter(PipeWriter output, RequestTarget target, ResponseForm form, TablePrinter tables)
    {
        private bool _wroteColumns;

        /// <summary>Writes what a change is to this watcher: an object that no longer matches is deleted for it.</summary>
        public bool WriteChange(WatchEvent change, ObjectFilter filter)
        {
            var matched = change.Previous is not null && filter.Matches(change.Previous);
            var matches = !change.Deleted && filter.Matches(change.Object);
            switch (matched, matches)
            {
                case (false, true):
                    Write("ADDED", change.Object);
                    return true;
                case (true, true):
                    Write("MODIFIED", change.Object);
                    return true;
                case (true, false):
                    Write("DELETED", change.Deleted ? change.Object : change.Previous!.At(change.Object.ResourceVersion));
                    return true;
                default:
                    return false;
            }
        }

        public void Write(string type, StoredObject value)
        {
            switch (form.Form)
            {
                case ObjectForm.Table:
                    Write(type, tables.Print(target.Resource, [ObjectWriter.FromStorage(target.Resource, value)], null, TableOptions.Default with { Headers = !_wroteColumns }));
                    _wroteColumns = true;
                    break;
                case ObjectForm.Metadata:
                    Write(type, PartialMetadata.Of(value.ReadObject()));
                    break;
                default:
                    if (target.Resource.Version != target.Resource.StorageVersion)
                    {
                        Write(type, ObjectWriter.FromStorage(target.Resource, value));
                        break;
                    }

                    Begin(type);
                    output.Write(value.Json);
                    output.Write("}\n"u8);
                    break;
            }
        }

        public void Write(string type, JsonObject value)
        {
            Begin(type);
            JsonBody.Write(value, output);
            output.Write("}\n"u8);
        }

        public void WriteBookmark(long revision, bool initial)
        {
            var metadata = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
            if (initial)
            {
                metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
            }

            Write("BOOKMARK", new JsonObject
            {
                ["kind"] = form.Form switch { ObjectForm.Table => "Table", ObjectForm.Metadata => "PartialObjectMetadata", _ => target.Resource.Kind },
                ["apiVersion"] = form.Form == ObjectForm.Whole ? target.Resource.Version.ToString() : "meta.k8s.io/v1",
                ["metadata"] = metadata,
            });
        }

        private void Begin(string type)
        {
            output.Write("{\"type\":\""u8);
            output.Write(System.Text.Encoding.ASCII.GetBytes(type));
            output.Write("\",\"object\":"u8);
        }
    }
}
