using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Pods;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

/// <summary>An API server on a free port of its own, with its state in a directory that goes with it.</summary>
internal sealed class TestApi : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly bool _ownsState;

    private TestApi(WebApplication app, string state, bool ownsState)
    {
        (_app, State, _ownsState) = (app, state, ownsState);
        Address = app.Urls.First();
        Http = new HttpClient { BaseAddress = new Uri(Address) };
    }

    public string State { get; }

    public string Address { get; }

    public HttpClient Http { get; }

    public IKubernetes Kubernetes => field ??= new k8s.Kubernetes(new KubernetesClientConfiguration { Host = Address });

    public T Service<T>()
        where T : notnull
        => _app.Services.GetRequiredService<T>();

    public static async Task<TestApi> StartAsync(string? state = null, TimeProvider? clock = null, IPodRuntime? runtime = null)
    {
        var directory = state ?? Directory.CreateTempSubdirectory("apiserver-").FullName;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddApiServer(new ApiServerOptions { StateDirectory = directory, Clock = clock ?? TimeProvider.System });
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        if (runtime is not null)
        {
            builder.Services.AddSingleton(runtime);
        }

        var app = builder.Build();
        app.MapApiServer();
        await app.StartAsync();
        return new TestApi(app, directory, state is null);
    }

    /// <summary>Sends a request and gives back the status and the JSON of the answer.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body = null, string contentType = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(contentType);
        }

        request.Headers.TryAddWithoutValidation("Accept", accept ?? "application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "test/1");
        using var response = await Http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        var warnings = response.Headers.TryGetValues("Warning", out var values) ? values.ToArray() : [];
        return new Answer((int)response.StatusCode, bytes.Length == 0 ? [] : JsonBody.ReadObject(bytes), warnings);
    }

    public Task<Answer> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, accept: accept);

    public Task<Answer> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, body);

    public Task<Answer> PutAsync(string path, string body) => SendAsync(HttpMethod.Put, path, body);

    public Task<Answer> DeleteAsync(string path, string? body = null) => SendAsync(HttpMethod.Delete, path, body);

    public Task<Answer> PatchAsync(string path, string body, string kind = "merge-patch+json")
        => SendAsync(HttpMethod.Patch, path, body, "application/" + kind);

    /// <summary>Server-side apply.</summary>
    public Task<Answer> ApplyAsync(string path, string body, string manager = "tester", string query = "")
        => PatchAsync($"{path}?fieldManager={manager}{query}", body, "apply-patch+yaml");

    /// <summary>Waits until a path answers as wanted; by watching nothing but the answer, for what background work brings about.</summary>
    public async Task<Answer> EventuallyAsync(string path, Func<Answer, bool> wanted)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (true)
        {
            var answer = await GetAsync(path);
            if (wanted(answer))
            {
                return answer;
            }

            if (timeout.IsCancellationRequested)
            {
                Assert.Fail($"{path} stayed {answer.Code}: {answer.Json.ToJsonString()}");
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        if (_ownsState)
        {
            Directory.Delete(State, recursive: true);
        }
    }
}

/// <summary>What the server answered.</summary>
internal sealed record Answer(int Code, JsonObject Json, string[] Warnings)
{
    public string Message => Json.Text("message") ?? "";

    public string Version => Json.Metadata().Text("resourceVersion") ?? "";

    public long Revision => long.Parse(Version, CultureInfo.InvariantCulture);

    /// <summary>The value at a path of fields and indexes, such as <c>spec.ports.0.name</c>, as text.</summary>
    public string? this[string path]
    {
        get
        {
            JsonNode? node = Json;
            foreach (var step in path.Split('.'))
            {
                node = node is JsonArray list ? list[int.Parse(step, CultureInfo.InvariantCulture)] : (node as JsonObject)?[step];
            }

            return node?.ToString();
        }
    }
}
