using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>Writes core/v1 Events in the background; the same event again raises the count of the first one.</summary>
internal sealed class EventRecorder(ClusterClient client, TimeProvider time, ILogger<EventRecorder> logger) : BackgroundService
{
    private const int RememberedEvents = 4096;
    private const int LongestMessage = 1024;
    private readonly Channel<Corev1Event> _queue = Channel.CreateUnbounded<Corev1Event>();
    private readonly Dictionary<string, Corev1Event> _written = [];
    private long _serial;

    public void Normal(IKubernetesObject<V1ObjectMeta> about, string component, string reason, string message, string? fieldPath = null) =>
        Record(about, component, "Normal", reason, message, fieldPath);

    public void Warning(IKubernetesObject<V1ObjectMeta> about, string component, string reason, string message, string? fieldPath = null) =>
        Record(about, component, "Warning", reason, message, fieldPath);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var item in _queue.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await WriteAsync(item, stoppingToken);
            }
            catch (Exception e) when (e is HttpRequestException or ApiException or IOException)
            {
                // Events are best effort everywhere; e.g. their namespace is going away.
                logger.LogDebug(e, "Event {Reason} was not written", item.Reason);
            }
        }
    }

    private void Record(IKubernetesObject<V1ObjectMeta> about, string component, string type, string reason, string message, string? fieldPath)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var ns = string.IsNullOrEmpty(about.Metadata.NamespaceProperty) ? "default" : about.Metadata.NamespaceProperty;
        var suffix = (now.Ticks + Interlocked.Increment(ref _serial)).ToString("x", CultureInfo.InvariantCulture);
        _queue.Writer.TryWrite(new Corev1Event
        {
            Metadata = new V1ObjectMeta { Name = $"{about.Metadata.Name}.{suffix}", NamespaceProperty = ns },
            InvolvedObject = new V1ObjectReference
            {
                ApiVersion = about.ApiVersion,
                Kind = about.Kind,
                Name = about.Metadata.Name,
                NamespaceProperty = about.Metadata.NamespaceProperty,
                Uid = about.Metadata.Uid,
                ResourceVersion = about.Metadata.ResourceVersion,
                FieldPath = fieldPath,
            },
            Type = type,
            Reason = reason,
            Message = message.Length > LongestMessage ? message[..LongestMessage] : message,
            Source = new V1EventSource { Component = component },
            ReportingComponent = component,
            ReportingInstance = "",
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
        });
    }

    private async Task WriteAsync(Corev1Event item, CancellationToken cancellationToken)
    {
        var key = string.Join('\n', item.InvolvedObject.Uid, item.InvolvedObject.FieldPath, item.Type, item.Reason, item.Message, item.Source.Component);
        if (_written.TryGetValue(key, out var first))
        {
            try
            {
                var count = first.Count + 1;
                var patch = new JsonObject { ["count"] = count, ["lastTimestamp"] = item.LastTimestamp?.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) };
                _written[key] = await client.PatchAsync<Corev1Event>(ObjectKey.Of(first), patch, cancellationToken);
                return;
            }
            catch (ApiException e) when (e.Code == HttpStatusCode.NotFound)
            {
                _written.Remove(key);
            }
        }

        if (_written.Count >= RememberedEvents)
        {
            _written.Clear();
        }

        _written[key] = await client.CreateAsync(item, cancellationToken);
    }
}
