using System.Globalization;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>
/// Names a process on Linux: boot, process namespace, id and start time. Ids are used again and machines share host names; all four
/// together are not.
/// </summary>
internal static class ProcessIdentity
{
    /// <summary>This process; null where the system does not tell.</summary>
    public static string? Current() => Of(Environment.ProcessId);

    /// <summary>Whether the process is known to have ended: it was of this boot and this namespace, and is not there.</summary>
    public static bool IsDead(string identity) =>
        identity.Split('/') is [var boot, var space, var id, _]
        && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && Boot() == boot
        && Space() == space
        && Of(number) != identity;

    private static string? Of(int id) =>
        Boot() is { } boot && Space() is { } space && StartedAt(id) is { } started
            ? string.Create(CultureInfo.InvariantCulture, $"{boot}/{space}/{id}/{started}")
            : null;

    private static string? Boot() => Read("/proc/sys/kernel/random/boot_id")?.Trim();

    private static string? Space() => File.Exists("/proc/self/ns/pid") ? new FileInfo("/proc/self/ns/pid").LinkTarget : null;

    // proc(5): the 22nd field, counted after the name, which is in parentheses and may hold spaces.
    private static string? StartedAt(int id) =>
        Read($"/proc/{id}/stat") is { } stat && stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 19 } fields
            && fields[0] != "Z"
            ? fields[19]
            : null;

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
