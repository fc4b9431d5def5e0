namespace Cake.K3s.Tests.Fixtures;

/// <summary>Processes as Linux lists them.</summary>
internal static class RunningProcess
{
    /// <summary>Whether a process runs; one that ended and was not collected by its parent does not.</summary>
    public static bool Exists(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
