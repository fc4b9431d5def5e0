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
    private string? _former;

    [OneTimeSetUp]
    public void Raise()
    {
        if (OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && int.Parse(File.ReadAllText(Setting), CultureInfo.InvariantCulture) < Wanted)
        {
            _former = File.ReadAllText(Setting);
            File.WriteAllText(Setting, Wanted.ToString(CultureInfo.InvariantCulture));
        }
    }

    [OneTimeTearDown]
    public void PutBack()
    {
        if (_former is not null)
        {
            File.WriteAllText(Setting, _former);
        }
    }
}
