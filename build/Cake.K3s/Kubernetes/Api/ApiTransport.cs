using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Polly;
using Polly.Retry;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>
/// Sends requests, and sends them again after 429, 500, 502, 503 and 504, lost connections and stalls, with growing delays and
/// as Retry-After asks. Answers other than those are the caller's to judge.
/// </summary>
internal sealed partial class ApiTransport
{
    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;
    private readonly RetryOptions _retry;
    private readonly Action<string> _warn;
    private readonly Lazy<ResiliencePipeline<Attempt>> _pipeline;

    public ApiTransport(HttpMessageInvoker http, Uri server, TimeProvider time, RetryOptions retry, Action<string> warn)
    {
        _http = http;
        Server = server.AbsoluteUri.EndsWith('/') ? server : new Uri(server.AbsoluteUri + "/");
        _time = time;
        _retry = retry;
        _warn = warn;
        _pipeline = new(Pipeline);
    }

    /// <summary>The API's address, with a slash at its end.</summary>
    public Uri Server { get; }

    /// <summary>The API's time at its last answer; null where it does not tell it.</summary>
    public DateTimeOffset? ServerTime { get; private set; }

    /// <summary>What had to be sent again so far.</summary>
    public RetryTally Retries { get; } = new();

    /// <summary>Sends a request and reads the whole answer.</summary>
    /// <exception cref="ClusterUnreachableException">No attempt brought an answer.</exception>
    public async Task<ApiResponse> SendAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        var attempt = await RunAsync(request, readBody: true, cancellationToken);
        using (attempt.Response)
        {
            return new(attempt.Response!.StatusCode, attempt.Body, attempt.MayHaveRunBefore);
        }
    }

    /// <summary>Sends a request and returns once the headers are there; the caller reads the body and disposes of the response.</summary>
    /// <exception cref="ClusterUnreachableException">No attempt brought an answer.</exception>
    /// <exception cref="KubernetesApiException">The API refused it.</exception>
    public async Task<HttpResponseMessage> OpenAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        var response = (await RunAsync(request, readBody: false, cancellationToken)).Response!;
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            throw KubernetesApiException.From(request.Purpose, response.StatusCode, body);
        }
    }

    private async Task<Attempt> RunAsync(ApiRequest request, bool readBody, CancellationToken cancellationToken)
    {
        var attempts = new Attempts(request, readBody);
        var last = await TryAsync(attempts, cancellationToken);
        if (last.IsWorthAnother)
        {
            // Only now: most runs send nothing again, and the JIT takes longer for the pipeline than a request takes.
            Attempt? first = last;
            last = await _pipeline.Value.ExecuteAsync(
                (attempts, cancellation) => Interlocked.Exchange(ref first, null) is { } made ? new(made) : new ValueTask<Attempt>(TryAsync(attempts, cancellation)),
                attempts,
                cancellationToken);
        }

        return last.Failure is null ? last : throw new ClusterUnreachableException(request.Purpose, Server, Explain(last.Failure), last.Failure);
    }

    /// <summary>Judges attempts, the first of which was made before, and makes further ones.</summary>
    private ResiliencePipeline<Attempt> Pipeline() => new ResiliencePipelineBuilder<Attempt> { TimeProvider = _time }
        .AddRetry(new RetryStrategyOptions<Attempt>
        {
            MaxRetryAttempts = _retry.Repetitions,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = _retry.FirstDelay,
            MaxDelay = _retry.LongestDelay,
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Result is { IsWorthAnother: true }),
            DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Result?.RetryAfter),
            OnRetry = arguments =>
            {
                Retries.Add(arguments.Outcome.Result!.RetryReason!);
                arguments.Outcome.Result.Response?.Dispose();
                return default;
            },
        })
        .Build();

    private async Task<Attempt> TryAsync(Attempts attempts, CancellationToken cancellationToken)
    {
        var mayHaveRunBefore = attempts.MayHaveRun;
        var limit = _retry.LimitOf(attempts.Count++);
        using var timeout = new CancellationTokenSource(limit, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        HttpResponseMessage? response = null;
        try
        {
            using var message = MessageOf(attempts.Request);
            response = await _http.SendAsync(message, both.Token);
            ServerTime = response.Headers.Date;
            var body = attempts.ReadBody ? await response.Content.ReadAsByteArrayAsync(both.Token) : [];
            Warn(response);
            var attempt = Judge(new(attempts.Request, response, body, mayHaveRunBefore));
            attempts.MayHaveRun |= attempt is { RetryReason: not null, WasRefused: false };
            return attempt;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested
            && e is HttpRequestException or IOException or OperationCanceledException)
        {
            response?.Dispose();
            var neverSent = e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
            attempts.MayHaveRun |= !neverSent;
            return new(attempts.Request, null, default, mayHaveRunBefore)
            {
                Failure = e is OperationCanceledException ? new TimeoutException($"no answer within {limit.TotalSeconds:0.#} s", e) : e,
                RetryReason = e switch
                {
                    OperationCanceledException => "no answer",
                    HttpRequestException { InnerException: AuthenticationException } => null,
                    HttpRequestException { InnerException: SocketException socket } when neverSent => socket.SocketErrorCode.ToString(),
                    _ when neverSent => "no connection",
                    _ => "connection lost",
                },
                WasRefused = neverSent,
            };
        }
    }

    private HttpRequestMessage MessageOf(ApiRequest request)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(Server, request.Path))
        {
            // Over TLS many requests share one connection; a server without HTTP/2 gets 1.1.
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        if (!request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body) { Headers = { ContentType = new MediaTypeHeaderValue(request.ContentType) } };
        }

        return message;
    }

    private Attempt Judge(Attempt attempt)
    {
        var response = attempt.Response!;
        var status = (int)response.StatusCode;
        return status is 429 or 502 or 503 or 504 || (status == 500 && !KubernetesApiException.IsSchemaError(attempt.Body.Span))
            ? attempt with
            {
                RetryReason = status.ToString(System.Globalization.CultureInfo.InvariantCulture),
                RetryAfter = DelayOf(response.Headers.RetryAfter),

                // The API's own flow control answers 429 before it looks at the request.
                WasRefused = status == 429,
            }
            : attempt;
    }

    private TimeSpan? DelayOf(RetryConditionHeaderValue? header)
    {
        var delay = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        return delay is null ? null : TimeSpan.FromTicks(Math.Clamp(delay.Value.Ticks, 0, TimeSpan.FromMinutes(1).Ticks));
    }

    private void Warn(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("Warning", out var warnings))
        {
            foreach (var warning in warnings)
            {
                _warn(WarningText().Match(warning) is { Success: true } match ? match.Groups[1].Value.Replace("\\\"", "\"", StringComparison.Ordinal) : warning);
            }
        }
    }

    private static string Explain(Exception failure) => failure switch
    {
        HttpRequestException { InnerException: AuthenticationException tls } => $"its certificate is not accepted: {tls.Message}",
        HttpRequestException { InnerException: { } inner } => inner.Message,
        _ => failure.Message,
    };

    /// <summary>RFC 7234: <c>299 - "text"</c>.</summary>
    [GeneratedRegex("^\\d{3} \\S+ \"(.*)\"$")]
    private static partial Regex WarningText();

    private sealed class Attempts(ApiRequest request, bool readBody)
    {
        public ApiRequest Request { get; } = request;

        public bool ReadBody { get; } = readBody;

        public int Count { get; set; }

        public bool MayHaveRun { get; set; }
    }

    private sealed record Attempt(ApiRequest Request, HttpResponseMessage? Response, ReadOnlyMemory<byte> Body, bool MayHaveRunBefore)
    {
        public Exception? Failure { get; init; }

        /// <summary>Why it is worth another attempt; null if it is not.</summary>
        public string? RetryReason { get; init; }

        public TimeSpan? RetryAfter { get; init; }

        /// <summary>Whether it is certain that the request was not carried out.</summary>
        public bool WasRefused { get; init; }

        public bool IsWorthAnother => RetryReason is not null && (WasRefused || Request.Repeatable);
    }
}
