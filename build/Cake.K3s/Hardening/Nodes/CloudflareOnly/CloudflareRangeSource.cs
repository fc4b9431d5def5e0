using Cake.K3s.Reporting;

namespace Cake.K3s.Hardening.Nodes.CloudflareOnly;

/// <summary>
/// Cloudflare's ranges from its JSON API, which needs no account, and the last good answer beside deploy.yaml: it is meant to be checked
/// in, so that a change of the ranges is seen in a diff and every machine starts from the same.
/// </summary>
/// <param name="client">Answers HTTP.</param>
/// <param name="file">Absolute path of the last good answer.</param>
/// <param name="reporter">Told when the last good answer is used instead of a new one.</param>
internal sealed class CloudflareRangeSource(HttpClient client, string file, IReporter reporter)
{
    /// <summary>The address of the API's list.</summary>
    public static Uri Address { get; } = new("https://api.cloudflare.com/client/v4/ips");

    /// <summary>The last good answer's file beside deploy.yaml.</summary>
    public const string FileName = "cloudflare-ranges.json";

    // The whole list has two thousand characters.
    private const int LongestAnswer = 200_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>The ranges as of now; the last good ones, with a warning, where Cloudflare's answer cannot be had or trusted.</summary>
    /// <exception cref="K3sException">There is no last good answer either.</exception>
    public async Task<CloudflareRanges> GetAsync(CancellationToken cancellationToken)
    {
        var known = await LastGoodAsync(cancellationToken);
        try
        {
            return await FetchAsync(known, cancellationToken);
        }
        catch (K3sException failure) when (known is not null)
        {
            reporter.Warning("cloudflare", $"{failure.Summary}; the last good list of {known.All.Count()} ranges is used");
            return known;
        }
    }

    /// <summary>The ranges as of now, kept as the last good ones.</summary>
    /// <returns>Those, and the ones that were the last good ones before; null where there were none.</returns>
    /// <exception cref="K3sException">Cloudflare's answer cannot be had or trusted; the last good answer is left as it is.</exception>
    public async Task<(CloudflareRanges Now, CloudflareRanges? Before)> RefreshAsync(CancellationToken cancellationToken)
    {
        var known = await LastGoodAsync(cancellationToken);
        return (await FetchAsync(known, cancellationToken), known);
    }

    /// <summary>The last good ranges; null where there are none. Asks nobody.</summary>
    public async Task<CloudflareRanges?> LastGoodAsync(CancellationToken cancellationToken)
    {
        try
        {
            return File.Exists(file) ? CloudflareRanges.Parse(await File.ReadAllTextAsync(file, cancellationToken)) : null;
        }
        catch (FormatException damaged)
        {
            throw new K3sException(ExitCodes.BadInput, $"{file} is damaged: {damaged.Message}", $"Restore it, or remove it and run --target={RefreshTarget}.", innerException: damaged);
        }
    }

    /// <summary>The target that asks Cloudflare.</summary>
    public const string RefreshTarget = "RefreshCloudflareRanges";

    private async Task<CloudflareRanges> FetchAsync(CloudflareRanges? known, CancellationToken cancellationToken)
    {
        var ranges = await AskAsync(cancellationToken);
        if (known is null || !ranges.SameAs(known))
        {
            Require(known is null || known.All.Count(ranges.All.Contains) * 2 >= known.All.Count(), "more than half of the ranges known so far are gone");
            await File.WriteAllTextAsync(file + ".new", ranges.ToJson() + "\n", cancellationToken);
            File.Move(file + ".new", file, overwrite: true);
        }

        return ranges;
    }

    private async Task<CloudflareRanges> AskAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            using var response = await client.GetAsync(Address, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            Require(response.IsSuccessStatusCode, $"the status is {(int)response.StatusCode}");
            Require(response.Content.Headers.ContentLength is null or < LongestAnswer, "the answer is too long");
            await response.Content.LoadIntoBufferAsync(LongestAnswer, limit.Token);
            return CloudflareRanges.Parse(await response.Content.ReadAsStringAsync(limit.Token));
        }
        catch (Exception failure) when (failure is HttpRequestException or FormatException or IOException)
        {
            throw Refused(failure.Message, failure);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw Refused($"there was no answer within {Limit.TotalSeconds:0} s", late);
        }
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw Refused(otherwise);
        }
    }

    private static K3sException Refused(string why, Exception? cause = null) => new(
        ExitCodes.Failed,
        $"Cloudflare's list of ranges cannot be used: {why}",
        $"Try again: curl {Address}",
        innerException: cause);
}
