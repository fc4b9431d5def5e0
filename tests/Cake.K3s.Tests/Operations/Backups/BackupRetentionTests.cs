using Cake.K3s.Operations.Backups;

namespace Cake.K3s.Tests.Operations.Backups;

public sealed class BackupRetentionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void Should_Let_Go_Of_What_Is_Older_Oldest_First_When_There_Is_A_Newer() =>
        Assert.That(Ages(BackupRetention.Expired([Of(1), Of(40), Of(29), Of(31)], Now, 30)), Is.EqualTo(new[] { 40, 31 }));

    [Test]
    public void Should_Keep_The_Newest_When_All_Are_Old() =>
        Assert.That(Ages(BackupRetention.Expired([Of(90), Of(100)], Now, 30)), Is.EqualTo(new[] { 100 }));

    [Test]
    public void Should_Let_Go_Of_Nothing_When_There_Is_Nothing() => Assert.That(BackupRetention.Expired([], Now, 30), Is.Empty);

    private static StoredBackup Of(int days) => new(new("app", Now.AddDays(-days)), 1);

    private static IEnumerable<int> Ages(IEnumerable<StoredBackup> backups) => backups.Select(backup => (int)(Now - backup.Name.MadeAt).TotalDays);
}
