using System.Net;
using System.Text.Json;

var api = Environment.GetEnvironmentVariable("API_URL") ?? "http://api:8000";
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddHttpClient("api", client =>
{
    client.BaseAddress = new Uri(api);
    client.Timeout = TimeSpan.FromSeconds(3);
});
var app = builder.Build();

// The page answers while the api is away: an admin page that fails with the app is of no use.
app.MapGet("/", async (IHttpClientFactory clients, CancellationToken cancellationToken) =>
{
    var rows = await TasksAsync(clients.CreateClient("api"), cancellationToken);
    return Results.Content(
        $"""
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>honeyDue admin</title></head>
        <body><h1>honeyDue</h1>{rows}</body>
        </html>
        """,
        "text/html; charset=utf-8");
});

await app.RunAsync();

static async Task<string> TasksAsync(HttpClient client, CancellationToken cancellationToken)
{
    try
    {
        var tasks = await client.GetFromJsonAsync<JsonElement[]>("/api/tasks", cancellationToken) ?? [];
        var items = tasks.Select(task => $"<li>{WebUtility.HtmlEncode(task.GetProperty("title").GetString())}</li>");
        return $"<ul>{string.Concat(items)}</ul>";
    }
    catch (HttpRequestException)
    {
        return "<p>The api does not answer.</p>";
    }
    catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
    {
        return "<p>The api takes too long to answer.</p>";
    }
}
