using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Cake.K3s.Processes;

/// <summary>
/// All processes that one command started. On Linux they are found by a variable that each inherits, and by parentage: so
/// those are found too that a double fork or a session of their own took away from their parent. Elsewhere by parentage alone.
/// </summary>
internal sealed class ProcessTree(TimeProvider time)
{
    /// <summary>What the names of marking variables start with; the rest tells one command from another, nested ones included.</summary>
    public const string MarkPrefix = "CAKE_K3S_COMMAND_";

    private const int Terminate = 15;
    private const int Kill = 9;

    // Long enough for a program to remove its temporary files, short enough for somebody who pressed Ctrl+C.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    // A killed process may still wait for a disk; there is nothing more to be done about it.
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>The variable to set (to anything) in the command's environment.</summary>
    public string Mark { get; } = MarkPrefix + Guid.NewGuid().ToString("N");

    /// <summary>Asks every process to end, then ends those that did not.</summary>
    /// <param name="root">The id of the process that was started first.</param>
    public async Task EndAsync(int root)
    {
        if (!OperatingSystem.IsLinux())
        {
            EndByParentage(root);
            return;
        }

        foreach (var process in Members(root))
        {
            _ = Signal(process, Terminate);
        }

        if (await GoneWithinAsync(Grace, () => Members(root).Count == 0))
        {
            return;
        }

        // Signalled again in each round: a process may have forked between the look and the signal. One that belongs to
        // another user cannot be ended and is not waited for.
        await GoneWithinAsync(KillLimit, () => !Members(root).Any(process => Signal(process, Kill)));
    }

    private static void EndByParentage(int root)
    {
        try
        {
            using var process = Process.GetProcessById(root);
            process.Kill(entireProcessTree: true);
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
    }

    private async Task<bool> GoneWithinAsync(TimeSpan limit, Func<bool> gone)
    {
        var start = time.GetTimestamp();
        while (!gone())
        {
            if (time.GetElapsedTime(start) >= limit)
            {
                return false;
            }

            // The kernel tells of the end of a process to its parent alone, which need not be this process.
            await Task.Delay(Between, time);
        }

        return true;
    }

    private HashSet<int> Members(int root)
    {
        var processes = Directory.EnumerateDirectories("/proc")
            .Select(directory => int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id != 0 && id != Environment.ProcessId)
            .Select(Read)
            .OfType<Entry>()
            .ToList();
        var children = processes.ToLookup(process => process.Parent, process => process.Id);
        var members = new HashSet<int>();
        var open = new Queue<int>(processes.Where(process => process.Id == root || process.Marked).Select(process => process.Id));
        while (open.TryDequeue(out var process))
        {
            if (members.Add(process))
            {
                foreach (var child in children[process])
                {
                    open.Enqueue(child);
                }
            }
        }

        return members;
    }

    private Entry? Read(int id)
    {
        try
        {
            // "id (name) state parent …", and the name may contain anything.
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ended = fields[0] is "Z" or "X";
            return ended ? null : new Entry(id, int.Parse(fields[1], CultureInfo.InvariantCulture), IsMarked(id));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool IsMarked(int id)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{id}/environ").AsSpan().IndexOf(Encoding.ASCII.GetBytes(Mark)) >= 0;
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool Signal(int process, int signal) => SendSignal(process, signal) == 0;

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);

    private sealed record Entry(int Id, int Parent, bool Marked);
}
