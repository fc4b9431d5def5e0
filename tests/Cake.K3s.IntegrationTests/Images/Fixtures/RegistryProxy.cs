using System.Collections.Concurrent;
using System.Net;
using Cake.K3s.Environments;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>Stands before a registry, writes down what passes, and can spoil it.</summary>
internal sealed class RegistryProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http;
    private readonly RegistryServer _registry;
    private int _count;

    private RegistryProxy(RegistryServer registry)
    {
        _registry = registry;
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new($"http://{registry.Host}/"), Timeout = Timeout.InfiniteTimeSpan };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    public string Host => new Uri(_app.Urls.First()).Authority;

    public RegistryConnection Connection => _registry.Connection with { Host = Host };

    /// <summary>Method and path of every request, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Given a request and its number, from 1: answers it and returns true, or returns false to let it pass.</summary>
    public Func<HttpContext, int, Task<bool>> Fault { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>Given a request: how many bytes of its body pass before the connection is cut; null for all.</summary>
    public Func<HttpContext, long?> CutBodyAfter { get; set; } = _ => null;

    /// <summary>Told of each answer of the registry: the request and the status.</summary>
    public Action<HttpRequest, int> Answered { get; set; } = (_, _) => { };

    public static async Task<RegistryProxy> StartAsync(RegistryServer registry)
    {
        var proxy = new RegistryProxy(registry);
        await proxy._app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        Requests.Enqueue($"{context.Request.Method} {context.Request.Path}");
        if (await Fault(context, Interlocked.Increment(ref _count)))
        {
            return;
        }

        using var request = new HttpRequestMessage(new(context.Request.Method), context.Request.Path.ToUriComponent().TrimStart('/') + context.Request.QueryString);
        var cut = CutBodyAfter(context);
        if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0)
        {
            request.Content = new StreamContent(cut is { } bytes ? new CutStream(context.Request.Body, bytes, context.Abort) : context.Request.Body);
        }

        foreach (var (name, values) in context.Request.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.ToArray()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
            }
        }

        // The registry makes its upload addresses from this.
        request.Headers.Host = Host;
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
            context.Response.StatusCode = (int)response.StatusCode;
            Answered(context.Request, context.Response.StatusCode);
            foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(header => header.Key != "Transfer-Encoding"))
            {
                context.Response.Headers[name] = values.ToArray();
            }

            if (context.Request.Method != "HEAD")
            {
                await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            context.Abort();
        }
    }

    /// <summary>Passes so many bytes and then fails.</summary>
    private sealed class CutStream(Stream inner, long left, Action cut) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (left <= 0)
            {
                cut();
                throw new IOException("cut");
            }

            var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, left)], cancellationToken);
            left -= read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
