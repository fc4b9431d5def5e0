namespace Cake.K3s.Tools;

/// <summary>Keeps runs on the same machine apart. The system drops a lock when its process ends, however it ends.</summary>
internal static class FileLock
{
    // flock cannot be awaited; this is how often it is tried.
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until nobody else has the lock, then holds it alone until disposed.</summary>
    public static Task<IDisposable> ExclusiveAsync(string file, CancellationToken cancellationToken) =>
        AcquireAsync(file, FileAccess.ReadWrite, FileShare.None, cancellationToken);

    /// <summary>Waits until nobody has it alone, then holds the lock together with others.</summary>
    public static Task<IDisposable> SharedAsync(string file, CancellationToken cancellationToken) =>
        AcquireAsync(file, FileAccess.Read, FileShare.Read, cancellationToken);

    private static async Task<IDisposable> AcquireAsync(string file, FileAccess access, FileShare share, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, access, share);
            }
            catch (IOException held) when (IsHeld(held))
            {
                await Task.Delay(Between, cancellationToken);
            }
        }
    }

    // EWOULDBLOCK on Linux and macOS; the sharing and lock violations of Windows.
    private static bool IsHeld(IOException failure) => (failure.HResult & 0xFFFF) is 11 or 35 or 32 or 33;
}
