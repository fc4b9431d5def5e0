using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>What an API in trouble does to requests, one kind of trouble after the other: 429, 500, 503, an answer that is lost, and silence for five seconds.</summary>
internal sealed class FaultyAnswers(string retryAfter)
{
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(5);
    private int _count;

    /// <summary>How many requests met one.</summary>
    public int Count => _count;

    /// <summary>Treats a request badly; <paramref name="pass"/> is how it would go on.</summary>
    public async Task AnswerAsync(HttpContext context, Func<Task> pass)
    {
        switch (Interlocked.Increment(ref _count) % 5)
        {
            case 0:
                context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                context.Response.Headers.RetryAfter = retryAfter;
                break;
            case 1:
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                break;
            case 2:
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                break;
            case 3:
                // Carried out, and its answer lost: the worst of all.
                context.Response.Body = Stream.Null;
                await pass();
                context.Abort();
                break;
            default:
                await Task.Delay(Stall, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                context.Abort();
                break;
        }
    }
}
