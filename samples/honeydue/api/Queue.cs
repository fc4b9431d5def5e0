using StackExchange.Redis;

namespace Honeydue.Api;

/// <summary>The worker's queue in Redis. It connects in the background, so that the api starts while Redis is away.</summary>
public sealed class Queue : IAsyncDisposable
{
    /// <summary>The list that the worker takes jobs from; the worker has the same name.</summary>
    public const string Jobs = "honeydue:jobs";

    private readonly ConnectionMultiplexer _redis;

    private Queue(ConnectionMultiplexer redis) => _redis = redis;

    /// <summary>Connects to <c>host:port</c>, with a user and a password where there are some.</summary>
    public static async Task<Queue> ConnectAsync(string address, string? user, string? password)
    {
        var options = ConfigurationOptions.Parse(address);
        options.User = user;
        options.Password = password;
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 2000;
        return new Queue(await ConnectionMultiplexer.ConnectAsync(options));
    }

    /// <summary>Hands a task to the worker.</summary>
    public Task AddAsync(long task) => _redis.GetDatabase().ListLeftPushAsync(Jobs, task);

    /// <summary>Whether Redis answers.</summary>
    public async Task<bool> AnswersAsync()
    {
        try
        {
            await _redis.GetDatabase().PingAsync();
            return true;
        }
        catch (RedisException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _redis.DisposeAsync();
}
