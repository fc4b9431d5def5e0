using Honeydue.Api;

namespace Honeydue.Tests;

public sealed class SchemaTests
{
    [Test]
    public void Should_want_the_version_of_the_newest_migration()
    {
        Assert.That(Schema.Wanted, Is.EqualTo(2));
    }
}
