namespace Cake.K3s.Kubernetes.Applying;

/// <summary>How many requests are under way at once.</summary>
internal static class Concurrency
{
    // More brings nothing on a small server, whose etcd writes one after the other, and its flow control would answer 429.
    public const int Requests = 16;

    public static ParallelOptions Of(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = Requests, CancellationToken = cancellationToken };
}
