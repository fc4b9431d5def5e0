namespace Cake.K3s.Tests.Fixtures;

/// <summary>Waits for what another process does.</summary>
internal static class Eventually
{
    /// <summary>Returns when the condition holds; fails the test if it does not within ten seconds.</summary>
    public static async Task HoldsAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
        {
            await Task.Delay(5, limit.Token);
        }
    }
}
