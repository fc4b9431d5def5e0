using System.Collections.Immutable;
using System.Net;
using Cake.K3s.Reporting;
using Polly;
using Polly.Retry;

namespace Cake.K3s.Images.Registry;

/// <summary>One request, which can be sent more than once.</summary>
/// <param name="Method">The method.</param>
/// <param name="Address">Absolute, or relative to the registry's root.</param>
/// <param name="Scope">What a token must allow.</param>
/// <param name="Doing">What it does, for an error: <c>registry X did not …</c>.</param>
internal sealed record RegistryRequest(HttpMethod Method, Uri Address, string Scope, string Doing)
{
    /// <summary>Makes the body anew for each try; null for none.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>Media types that are asked for.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>The statuses that the caller knows what to do with.</summary>
    public ImmutableArray<HttpStatusCode> Expected { get; init; } = [HttpStatusCode.OK];

    /// <summary>How long the registry may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);
}

/// <summary>Sends requests to one registry: authenticated, again after what passes, and with one clear failure for what does not.</summary>
internal sealed class RegistryTransport
{
    private const int TokensToTry = 3;

    private readonly HttpClient _http;
    private readonly RegistryAuthentication _authentication;
    private readonly ResiliencePipeline<HttpResponseMessage> _retry;

    public RegistryTransport(string host, HttpClient http, RegistryAuthentication authentication, IReporter reporter, TimeProvider time, RetryTimes times)
    {
        Host = host;
        _http = http;
        _authentication = authentication;
        _retry = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = times.Attempts - 1,
                Delay = times.First,
                MaxDelay = times.Longest,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = async arguments => arguments.Outcome switch
                {
                    { Exception: { } exception } => IsPassing(exception),
                    { Result: { } response } => await IsPassingAsync(response, arguments.Context.CancellationToken),
                    _ => false,
                },
                DelayGenerator = arguments => ValueTask.FromResult(RetryAfter(arguments.Outcome.Result, time, times.Longest)),
                OnRetry = arguments =>
                {
                    var why = arguments.Outcome switch
                    {
                        { Result: { } response } => $"answered {(int)response.StatusCode}",
                        { Exception: { } exception } => $"did not answer ({exception.GetBaseException().Message})",
                        _ => "did not answer",
                    };
                    reporter.Output(host, $"registry {why}; trying again in {arguments.RetryDelay.TotalSeconds:0.0} s");
                    arguments.Outcome.Result?.Dispose();
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>The registry's host and port.</summary>
    public string Host { get; }

    /// <summary>The registry's time at its last answer; null where it does not tell it.</summary>
    public DateTimeOffset? ServerTime { get; private set; }

    /// <summary>Sends a request, again where that can help, until the answer's status is an expected one.</summary>
    /// <exception cref="K3sException">The registry refused, failed or could not be reached.</exception>
    public Task<HttpResponseMessage> SendAsync(RegistryRequest request, CancellationToken cancellationToken) =>
        TryAsync(request.Doing, request.Expected, token => SendOnceAsync(request, token), cancellationToken);

    /// <summary>Repeats a step of more than one request until the status of its last answer is an expected one.</summary>
    /// <exception cref="K3sException">The registry refused, failed or could not be reached.</exception>
    public async Task<HttpResponseMessage> TryAsync(
        string doing,
        ImmutableArray<HttpStatusCode> expected,
        Func<CancellationToken, Task<HttpResponseMessage>> step,
        CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _retry.ExecuteAsync(async token => await step(token), cancellationToken);
        }
        catch (Exception e) when (IsPassing(e) && !cancellationToken.IsCancellationRequested)
        {
            throw RegistryFailure.Unreachable(Host, doing, e);
        }

        if (expected.Contains(response.StatusCode))
        {
            return response;
        }

        using (response)
        {
            throw RegistryFailure.Of(Host, doing, response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
    }

    /// <summary>Sends a request; again if its token was refused.</summary>
    public async Task<HttpResponseMessage> SendOnceAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        // The first may go without a token, and the second with one that others fetched a while ago.
        for (var left = TokensToTry; ; left--)
        {
            var response = await SendAuthenticatedAsync(request, cancellationToken);
            if (left == 0 || response.StatusCode != HttpStatusCode.Unauthorized || !_authentication.Challenged(response, request.Scope))
            {
                return response;
            }

            response.Dispose();
        }
    }

    private async Task<HttpResponseMessage> SendAuthenticatedAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(request.Timeout);
        using var message = new HttpRequestMessage(request.Method, request.Address) { Content = request.Content?.Invoke() };
        message.Headers.Authorization = await _authentication.HeaderAsync(request.Scope, timeout.Token);
        foreach (var mediaType in request.Accept)
        {
            message.Headers.Accept.ParseAdd(mediaType);
        }

        try
        {
            var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            ServerTime = response.Headers.Date;
            return response;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {request.Timeout.TotalSeconds:0} s");
        }
    }

    private static bool IsPassing(Exception exception) => exception is HttpRequestException or IOException or TimeoutException;

    private static async ValueTask<bool> IsPassingAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout)
        {
            return true;
        }

        if (response.StatusCode < HttpStatusCode.InternalServerError || response.StatusCode is HttpStatusCode.NotImplemented)
        {
            return false;
        }

        // Read here, so that the body can be read again by whoever makes the failure.
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        return !RegistryFailure.IsDiskFull(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage? response, TimeProvider time, TimeSpan longest)
    {
        var asked = response?.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return asked is null ? null : asked < TimeSpan.Zero ? TimeSpan.Zero : asked > longest ? longest : asked;
    }
}

/// <summary>How often and after how long a request is sent again.</summary>
/// <param name="Attempts">How often at most, the first time included.</param>
/// <param name="First">About how long after the first failure; doubled each time.</param>
/// <param name="Longest">The longest wait, also where the registry asks for a longer one.</param>
internal sealed record RetryTimes(int Attempts, TimeSpan First, TimeSpan Longest)
{
    /// <summary>Six tries in about ten seconds, or longer where the registry asks for it.</summary>
    public static RetryTimes Default { get; } = new(6, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(60));
}
