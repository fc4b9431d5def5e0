using System.Globalization;

namespace Cake.K3s.IntegrationTests;

/// <summary>
/// Nodes, engines and servers watch files, and many of them run at once. Linux gives a user 128 instances of inotify by default, too few
/// for that; for the time of the tests there are more.
/// </summary>
[SetUpFixture]
internal sealed class InotifyLimit
{
    private const string Setting = "/proc/sys/fs/inotify/max_user_instances";
    private const int Wanted = 1024;

    // Read and locked by every suite that runs on this machine; the last one to end puts the limit back.
    private static readonly string Former = Path.Combine(Path.GetTempPath(), "cake-k3s-tests-inotify");
    private FileStream? _running;

    [OneTimeSetUp]
    public void Raise()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            return;
        }

        if (int.Parse(File.ReadAllText(Setting), CultureInfo.InvariantCulture) < Wanted)
        {
            File.WriteAllText(Former, File.ReadAllText(Setting));
            File.WriteAllText(Setting, Wanted.ToString(CultureInfo.InvariantCulture));
        }

        _running = File.Exists(Former) ? new FileStream(Former, FileMode.Open, FileAccess.Read, FileShare.Read) : null;
    }

    [OneTimeTearDown]
    public void PutBack()
    {
        if (_running is null)
        {
            return;
        }

        _running.Dispose();
        try
        {
            using var alone = new FileStream(Former, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            using var reader = new StreamReader(alone);
            File.WriteAllText(Setting, reader.ReadToEnd());
            File.Delete(Former);
        }
        catch (IOException)
        {
            // Another suite runs, and its machines would hang in their boot.
        }
    }
}
