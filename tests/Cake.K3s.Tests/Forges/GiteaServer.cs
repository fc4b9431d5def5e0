using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cake.K3s.Tests.Forges;

/// <summary>
/// Stands in for a Gitea server: it takes the requests that are sent here as Gitea's published API (routers/api/v1, modules/structs)
/// describes them, refuses every other one, and answers in Gitea's shapes. It is no Gitea: what a real one does besides is not shown.
/// </summary>
internal sealed partial class GiteaServer : IDisposable
{
    public const string Token = "gitea-token-0123456789";

    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private int _ids;

    public GiteaServer()
    {
        Address = new Uri($"http://127.0.0.1:{FreePort()}/");
        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public Uri Address { get; }

    /// <summary>What every request is answered with instead; null for what Gitea would.</summary>
    public HttpStatusCode? Refusal { get; set; }

    public ConcurrentQueue<string> Wrong { get; } = new();

    public ConcurrentQueue<(string Context, string State, string Description)> Statuses { get; } = new();

    public ConcurrentDictionary<int, string> Comments { get; } = new();

    public ConcurrentQueue<(string Tag, string Commit, string Title, string Notes)> Releases { get; } = new();

    public void Dispose()
    {
        _listener.Close();
        _serving.Wait();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var reader = new StreamReader(context.Request.InputStream);
            var (status, answer) = Answer(context.Request, await reader.ReadToEndAsync());
            context.Response.StatusCode = (int)status;
            context.Response.ContentType = "application/json;charset=utf-8";
            context.Response.Close(Encoding.UTF8.GetBytes(answer.ToJsonString()), willBlock: false);
        }
    }

    private (HttpStatusCode Status, JsonNode Answer) Answer(HttpListenerRequest request, string body)
    {
        var what = $"{request.HttpMethod} {request.Url!.AbsolutePath}";
        if (Refusal is { } refusal)
        {
            return (refusal, new JsonObject { ["message"] = "refused", ["url"] = "/api/swagger" });
        }

        // Gitea takes "token X" and "Bearer X".
        if (request.Headers["Authorization"]?.Equals("Token " + Token, StringComparison.OrdinalIgnoreCase) != true)
        {
            Wrong.Enqueue($"{what}: no token");
            return (HttpStatusCode.Unauthorized, new JsonObject { ["message"] = "token is required" });
        }

        var path = Repository().Match(request.Url.AbsolutePath) is { Success: true } match ? match.Groups[1].Value : "";
        var json = body.Length == 0 ? null : JsonNode.Parse(body)!.AsObject();
        switch (request.HttpMethod, path)
        {
            // CreateStatusOption
            case ("POST", "statuses/0123abcd") when Has(json, what, "state", "target_url", "description", "context")
                && Text(json, "state") is "pending" or "success" or "error" or "failure" or "warning":
                Statuses.Enqueue((Text(json, "context"), Text(json, "state"), Text(json, "description")));

                // The state of a status is "status" here, and "state" at GitHub.
                return (HttpStatusCode.Created, new JsonObject { ["id"] = ++_ids, ["status"] = Text(json, "state"), ["context"] = Text(json, "context"), ["target_url"] = Text(json, "target_url"), ["description"] = Text(json, "description"), ["url"] = "", ["creator"] = null, ["created_at"] = "2026-01-02T03:04:05Z", ["updated_at"] = "2026-01-02T03:04:05Z" });

            case ("GET", "issues/7/comments"):
                return (HttpStatusCode.OK, new JsonArray([.. Comments.OrderBy(comment => comment.Key).Select(comment => Comment(comment.Key))]));

            // CreateIssueCommentOption
            case ("POST", "issues/7/comments") when Has(json, what, "body"):
                Comments[++_ids] = Text(json, "body");
                return (HttpStatusCode.Created, Comment(_ids));

            // EditIssueCommentOption
            case ("PATCH", _) when EditedComment().Match(path) is { Success: true } edited && Has(json, what, "body"):
                Comments[int.Parse(edited.Groups[1].Value)] = Text(json, "body");
                return (HttpStatusCode.OK, Comment(int.Parse(edited.Groups[1].Value)));

            case ("GET", "releases"):
                return (HttpStatusCode.OK, new JsonArray([.. Releases.Reverse().Select(Release)]));

            // CreateReleaseOption; the last one is GitHub's, which Gitea does not read.
            case ("POST", "releases") when Has(json, what, "tag_name", "target_commitish", "name", "body", "draft", "prerelease", "generate_release_notes"):
                Releases.Enqueue((Text(json, "tag_name"), Text(json, "target_commitish"), Text(json, "name"), Text(json, "body")));
                return (HttpStatusCode.Created, Release(Releases.Last()));

            // Compare
            case ("GET", _) when path.StartsWith("compare/", StringComparison.Ordinal):
                return (HttpStatusCode.OK, new JsonObject
                {
                    ["total_commits"] = 1,
                    ["commits"] = new JsonArray(new JsonObject { ["sha"] = "0123abcd4567", ["url"] = "", ["html_url"] = "", ["created"] = "2026-01-02T03:04:05Z", ["commit"] = new JsonObject { ["message"] = "Answer faster\n\nmore", ["url"] = "" }, ["author"] = null, ["committer"] = null, ["parents"] = new JsonArray() }),
                });
        }

        Wrong.Enqueue($"{what} {body}");
        return (HttpStatusCode.NotFound, new JsonObject { ["message"] = "not found" });
    }

    private bool Has(JsonObject? json, string what, params string[] known)
    {
        var unknown = json!.Select(member => member.Key).Except(known).ToList();
        unknown.ForEach(name => Wrong.Enqueue($"{what}: {name} is not part of it"));
        return unknown.Count == 0;
    }

    private static string Text(JsonObject? json, string name) => json![name]?.GetValue<string>() ?? "";

    private JsonObject Comment(int id) => new()
    {
        ["id"] = id,
        ["html_url"] = "",
        ["pull_request_url"] = "",
        ["issue_url"] = "",
        ["user"] = new JsonObject { ["id"] = 1, ["login"] = "actions" },
        ["original_author"] = "",
        ["original_author_id"] = 0,
        ["body"] = Comments[id],
        ["assets"] = new JsonArray(),
        ["created_at"] = "2026-01-02T03:04:05Z",
        ["updated_at"] = "2026-01-02T03:04:05Z",
    };

    private JsonObject Release((string Tag, string Commit, string Title, string Notes) release) => new()
    {
        ["id"] = ++_ids,
        ["tag_name"] = release.Tag,
        ["target_commitish"] = release.Commit,
        ["name"] = release.Title,
        ["body"] = release.Notes,
        ["url"] = "",
        ["html_url"] = "",
        ["tarball_url"] = "",
        ["zipball_url"] = "",
        ["upload_url"] = "",
        ["draft"] = false,
        ["prerelease"] = false,
        ["created_at"] = "2026-01-02T03:04:05Z",
        ["published_at"] = "2026-01-02T03:04:05Z",
        ["author"] = new JsonObject { ["id"] = 1, ["login"] = "actions" },
        ["assets"] = new JsonArray(),
    };

    [GeneratedRegex("^/api/v1/repos/ann/notes/(.*)$")]
    private static partial Regex Repository();

    [GeneratedRegex(@"^issues/comments/(\d+)$")]
    private static partial Regex EditedComment();
}
