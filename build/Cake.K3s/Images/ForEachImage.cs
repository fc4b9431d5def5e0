using System.Runtime.ExceptionServices;

namespace Cake.K3s.Images;

/// <summary>Does something with all images at the same time.</summary>
internal static class ForEachImage
{
    /// <summary>Waits for all, then throws: the one failure as it is, several as one that names each.</summary>
    /// <exception cref="K3sException">Several failed.</exception>
    public static async Task RunAsync(IEnumerable<string> images, Func<string, Task> action)
    {
        var all = Task.WhenAll(images.Order(StringComparer.Ordinal).Select(image => Task.Run(() => action(image))));
        try
        {
            await all;
        }
        catch when (all.Exception is { InnerExceptions.Count: > 1 } several)
        {
            if (several.InnerExceptions.FirstOrDefault(failure => failure is not K3sException) is { } bug)
            {
                ExceptionDispatchInfo.Throw(bug);
            }

            var failures = several.InnerExceptions.Cast<K3sException>().ToList();
            throw new K3sException(
                failures[0].ExitCode,
                $"{failures.Count} images failed",
                failures[0].NextStep,
                [.. failures.SelectMany(failure => failure.Details.Select(line => "  " + line).Prepend(failure.Summary))],
                several);
        }
    }
}
