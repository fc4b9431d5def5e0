using Cake.K3s.Operations.Backups;

namespace Cake.K3s.Tests.Operations.Backups;

public sealed class BackupNameTests
{
    [Test]
    public void Should_Read_Back_What_It_Writes_When_It_Is_A_Backup()
    {
        var name = new BackupName("honeydue/db", new DateTimeOffset(2026, 11, 23, 3, 17, 0, TimeSpan.Zero));

        Assert.That(name.ToString(), Is.EqualTo("honeydue/db/20261123T031700Z.tar.age"));
        Assert.That(BackupName.Parse(name.ToString()), Is.EqualTo(name));
    }

    [TestCase("honeydue/20261123T031700Z.tar.age.part")]
    [TestCase("honeydue/notes.txt")]
    [TestCase("honeydue/20261323T031700Z.tar.age")]
    [TestCase("20261123T031700Z.tar.age")]
    [TestCase("")]
    public void Should_Not_Take_It_For_A_Backup_When_It_Is_Called(string key) => Assert.That(BackupName.Parse(key), Is.Null);
}
