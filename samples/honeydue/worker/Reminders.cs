using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using StackExchange.Redis;

namespace Honeydue.Worker;

/// <summary>
/// Takes task numbers from the queue and marks each task as reminded. A job that fails goes back to the queue's other end, so
/// one bad job does not hold up the rest.
/// </summary>
public sealed partial class Reminders(NpgsqlDataSource database, IConnectionMultiplexer redis, ILogger<Reminders> logger) : BackgroundService
{
    // The api has the same name.
    private const string Jobs = "honeydue:jobs";

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        LogStarted();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await DrainAsync(stoppingToken);
        }
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await redis.GetDatabase().ListRightPopAsync(Jobs) is { HasValue: true } job)
            {
                await RemindAsync(job, cancellationToken);
            }
        }
        catch (RedisException exception)
        {
            LogRedisAway(exception.Message);
        }
    }

    private async Task RemindAsync(RedisValue job, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = database.CreateCommand("UPDATE tasks SET reminded_at = now() WHERE id = $1");
            command.Parameters.AddWithValue((long)job);
            await command.ExecuteNonQueryAsync(cancellationToken);
            LogReminded((long)job);
        }
        catch (NpgsqlException exception)
        {
            await redis.GetDatabase().ListLeftPushAsync(Jobs, job);
            LogDatabaseAway(exception.Message);
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "taking jobs")]
    private partial void LogStarted();

    [LoggerMessage(Level = LogLevel.Information, Message = "reminded of task {Task}")]
    private partial void LogReminded(long task);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer: {Problem}")]
    private partial void LogRedisAway(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the database does not answer, the job is put back: {Problem}")]
    private partial void LogDatabaseAway(string problem);
}
