using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;

namespace Cake.K3s.Tests.Images.Registry;

/// <summary>Answers a registry client's requests by a function.</summary>
internal sealed class FakeRegistry(Func<HttpRequestMessage, HttpResponseMessage> answer, TimeProvider? time = null, RegistryCredential? credential = null) : HttpMessageHandler, IReporter
{
    public ConcurrentQueue<(string Method, string PathAndQuery, string? Authorization)> Requests { get; } = new();

    public RegistryClient Open()
    {
        var clock = time ?? TimeProvider.System;
        var http = new HttpClient(this) { BaseAddress = new("https://registry.example/"), Timeout = Timeout.InfiniteTimeSpan };
        var authentication = new RegistryAuthentication("registry.example", _ => Task.FromResult(credential), http, new SecretMask(), clock);
        return new(http, new("registry.example", http, authentication, this, clock, new(3, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(30))), 1 << 20);
    }

    public static HttpResponseMessage Answer(HttpStatusCode status, string body = "") => new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Challenge(string value)
    {
        var response = Answer(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", value);
        return response;
    }

    public void Report(RunEvent runEvent)
    {
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Enqueue((request.Method.Method, request.RequestUri!.PathAndQuery, request.Headers.Authorization?.ToString()));
        var response = answer(request);
        response.RequestMessage = request;
        return Task.FromResult(response);
    }
}
