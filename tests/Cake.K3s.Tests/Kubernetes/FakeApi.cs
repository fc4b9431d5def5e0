using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Tests.Kubernetes;

/// <summary>Answers requests from a script: the first unused rule that matches, else a rule that stays.</summary>
internal sealed class FakeApi : HttpMessageHandler
{
    private readonly List<Rule> _rules = [];

    public FakeApi()
    {
        Always("GET", "/api", """{"kind":"APIVersions","versions":["v1"]}""");
        Always("GET", "/apis", """{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]}]}""");
        Always("GET", "/api/v1", """
            {"kind":"APIResourceList","groupVersion":"v1","resources":[
             {"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["get","list"]},
             {"name":"namespaces","kind":"Namespace","namespaced":false,"verbs":["get"]},
             {"name":"pods","kind":"Pod","namespaced":true,"verbs":["get"]},{"name":"pods/log","kind":"Pod","namespaced":true,"verbs":["get"]}]}
            """);
        Always("GET", "/apis/apps/v1", """
            {"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"deployments","kind":"Deployment","namespaced":true,"verbs":["get"]}]}
            """);
    }

    public ConcurrentQueue<(string Method, string PathAndQuery, string Body)> Requests { get; } = new();

    /// <summary>The requests that are not discovery.</summary>
    public IEnumerable<(string Method, string PathAndQuery, string Body)> Calls =>
        Requests.Where(request => request.PathAndQuery is not ("/api" or "/apis" or "/api/v1" or "/apis/apps/v1"));

    public ClusterApi Open(TimeProvider? time = null) => new(
        this, new Uri("http://fake/"), "shop", time, new RetryOptions { Repetitions = 3, FirstDelay = TimeSpan.FromTicks(1) });

    public void Always(string method, string path, string json, HttpStatusCode status = HttpStatusCode.OK) =>
        _rules.Add(new(method, path, () => Response(status, json), false));

    public void Always(string method, string path, Func<HttpResponseMessage> answer) => _rules.Add(new(method, path, answer, false));

    public void Once(string method, string path, string json, HttpStatusCode status = HttpStatusCode.OK, TimeSpan? retryAfter = null) =>
        Once(method, path, () =>
        {
            var response = Response(status, json);
            response.Headers.RetryAfter = retryAfter is { } delay ? new(delay) : null;
            return response;
        });

    public void Once(string method, string path, Func<HttpResponseMessage> answer) => _rules.Add(new(method, path, answer, true));

    public static HttpResponseMessage Response(HttpStatusCode status, string json) =>
        new(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    public static string Status(int code, string reason, string message) =>
        new JsonObject { ["kind"] = "Status", ["code"] = code, ["reason"] = reason, ["message"] = message }.ToJsonString();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Requests.Enqueue((request.Method.Method, request.RequestUri!.PathAndQuery, body));
        Rule? rule;
        lock (_rules)
        {
            rule = _rules.Find(candidate => candidate.Method == request.Method.Method && candidate.Path == request.RequestUri.AbsolutePath);
            if (rule is { OnlyOnce: true })
            {
                _rules.Remove(rule);
            }
        }

        return rule?.Answer() ?? Response(HttpStatusCode.NotFound, Status(404, "NotFound", $"no rule for {request.Method} {request.RequestUri}"));
    }

    private sealed record Rule(string Method, string Path, Func<HttpResponseMessage> Answer, bool OnlyOnce);
}
