using Cake.Core;
using Cake.K3s.Reporting;

namespace Cake.K3s.Forges;

/// <summary>Folds the lines of each task in the log of Gitea and GitHub Actions.</summary>
internal sealed class LogGroups(IConsole console) : IRunObserver
{
    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case TaskStarted started:
                console.WriteLine("{0}", "::group::" + started.Name);
                break;
            case TaskEnded ended:
                console.WriteLine("{0}", "::endgroup::");

                // Below the fold, where it is seen; the page of the run lists it too.
                if (ended is { Outcome: TaskOutcome.Failed, Reason: { } reason })
                {
                    console.WriteLine("{0}", $"::error title={Property(ended.Name)}::{Data(reason)}");
                }

                break;
        }
    }

    /// <summary>Text as the value of a command.</summary>
    public static string Data(string text) => text
        .Replace("%", "%25", StringComparison.Ordinal)
        .Replace("\r", "%0D", StringComparison.Ordinal)
        .Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) => Data(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}
