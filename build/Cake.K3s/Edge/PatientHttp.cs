using System.Net;

namespace Cake.K3s.Edge;

/// <summary>Sends requests to a provider's API, with patience for one that is busy.</summary>
/// <param name="http">Sends them.</param>
/// <param name="time">Waits between two attempts.</param>
internal sealed class PatientHttp(HttpClient http, TimeProvider time)
{
    private const int Attempts = 4;

    // What asks for longer than a minute is better told to the operator.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Sends a request, and sends it again after 429, and after 5xx or no answer where that cannot make a thing twice: a POST that failed
    /// may have been carried out all the same, so what it makes is looked for before it is made again.
    /// </summary>
    /// <param name="make">Makes the request, once an attempt.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer, whatever its status.</returns>
    /// <exception cref="HttpRequestException">There is no answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var wait = FirstWait * Math.Pow(2, attempt - 1);
            using var request = make();
            try
            {
                var response = await http.SendAsync(request, cancellationToken);
                var asked = WaitOf(response);
                if (attempt == Attempts || !MayRepeat(request.Method, response.StatusCode) || asked > LongestWait)
                {
                    return response;
                }

                response.Dispose();
                wait = asked ?? wait;
            }
            catch (Exception failure) when (failure is HttpRequestException || IsLate(failure, cancellationToken))
            {
                if (attempt == Attempts || request.Method == HttpMethod.Post)
                {
                    throw failure as HttpRequestException ?? new HttpRequestException($"no answer within {http.Timeout.TotalSeconds:0} s");
                }
            }

            await Task.Delay(wait, time, cancellationToken);
        }
    }

    // HttpClient says so when its time is up.
    private static bool IsLate(Exception failure, CancellationToken cancellationToken) => failure is TaskCanceledException && !cancellationToken.IsCancellationRequested;

    private static bool MayRepeat(HttpMethod method, HttpStatusCode status) =>
        status == HttpStatusCode.TooManyRequests || (status >= HttpStatusCode.InternalServerError && method != HttpMethod.Post);

    private TimeSpan? WaitOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow() is { Ticks: > 0 } wait ? wait : TimeSpan.Zero,
        _ => null,
    };
}
