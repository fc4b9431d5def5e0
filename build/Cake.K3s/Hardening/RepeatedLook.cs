namespace Cake.K3s.Hardening;

/// <summary>Looks at something again and again: for what takes its time, and of which no API tells when.</summary>
internal static class RepeatedLook
{
    /// <summary>Looks until it is fine, or the time is up.</summary>
    /// <returns>What was seen last.</returns>
    public static async Task<T> UntilAsync<T>(
        Func<Task<T>> look, Predicate<T> isFine, TimeSpan limit, TimeSpan pause, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var begin = time.GetTimestamp(); ;)
        {
            var seen = await look();
            if (isFine(seen) || time.GetElapsedTime(begin) >= limit)
            {
                return seen;
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }
}
