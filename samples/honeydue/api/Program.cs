using Honeydue.Api;
using Npgsql;

var databaseUrl = Environment.GetEnvironmentVariable("DATABASE_URL")
    ?? throw new InvalidOperationException("DATABASE_URL is not set: postgres://user:password@host:port/database");
await using var database = NpgsqlDataSource.Create(ConnectionUrl.ToConnectionString(databaseUrl));
var schema = new Schema(database);

if (args.Contains("--migrate-only"))
{
    var version = await schema.MigrateAsync(CancellationToken.None);
    Console.WriteLine($"schema version: {version}");

    // Kubernetes keeps this file as the container's termination message; the release records it.
    await File.WriteAllTextAsync("/dev/termination-log", version.ToString());
    return 0;
}

if (args.Contains("--wait-for-schema"))
{
    using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
    while (await schema.CurrentAsync(CancellationToken.None) is var found && found < Schema.Wanted)
    {
        Console.WriteLine($"the schema is at version {found}, waiting for {Schema.Wanted}");
        await timer.WaitForNextTickAsync();
    }

    return 0;
}

await using var queue = await Queue.ConnectAsync(
    Environment.GetEnvironmentVariable("REDIS_ADDRESS") ?? "redis:6379",
    Environment.GetEnvironmentVariable("REDIS_USER"),
    Environment.GetEnvironmentVariable("REDIS_PASSWORD"));

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.AddSimpleConsole(options => options.SingleLine = true);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var app = builder.Build();

app.MapGet("/api/health/", async (CancellationToken cancellationToken) =>
{
    var version = await SchemaVersionAsync(cancellationToken);
    var redis = await queue.AnswersAsync();
    var healthy = version >= Schema.Wanted && redis;
    return Results.Json(
        new { status = healthy ? "ok" : "unavailable", schema = version, wanted = Schema.Wanted, redis },
        statusCode: healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
});

app.MapGet("/api/tasks", async (CancellationToken cancellationToken) =>
{
    await using var command = database.CreateCommand("SELECT id, title, done, reminded_at IS NOT NULL FROM tasks ORDER BY id DESC LIMIT 50");
    await using var reader = await command.ExecuteReaderAsync(cancellationToken);
    var tasks = new List<object>();
    while (await reader.ReadAsync(cancellationToken))
    {
        tasks.Add(new { id = reader.GetInt64(0), title = reader.GetString(1), done = reader.GetBoolean(2), reminded = reader.GetBoolean(3) });
    }

    return tasks;
});

app.MapPost("/api/tasks", async (NewTask task, CancellationToken cancellationToken) =>
{
    if (string.IsNullOrWhiteSpace(task.Title))
    {
        return Results.BadRequest(new { error = "a task needs a title" });
    }

    await using var command = database.CreateCommand("INSERT INTO tasks (title) VALUES ($1) RETURNING id");
    command.Parameters.AddWithValue(task.Title);
    var id = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    await queue.AddAsync(id);
    return Results.Created($"/api/tasks/{id}", new { id, title = task.Title });
});

await app.RunAsync();
return 0;

async Task<int> SchemaVersionAsync(CancellationToken cancellationToken)
{
    try
    {
        return await schema.CurrentAsync(cancellationToken);
    }
    catch (NpgsqlException)
    {
        return -1;
    }
}

/// <summary>What a client sends to add a task.</summary>
internal sealed record NewTask(string? Title);
