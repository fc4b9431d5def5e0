using Cake.K3s.Operations.Backups;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Operations.Backups;

public sealed class DatabaseAddressTests
{
    [Test]
    public void Should_Tell_Libpq_Everything_When_The_Url_Has_It()
    {
        var variables = DatabaseAddress.ToVariables("DATABASE_URL", new Secret("postgres://an%40n:p%3Aw%2F%25@db.example.com:6543/honey?sslmode=verify-full&x=y"));

        Assert.That(variables, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["PGHOST"] = "db.example.com",
            ["PGPORT"] = "6543",
            ["PGDATABASE"] = "honey",
            ["PGUSER"] = "an@n",
            ["PGPASSWORD"] = "p:w/%",
            ["PGSSLMODE"] = "verify-full",
        }));
    }

    [Test]
    public void Should_Take_The_Usual_Port_When_There_Is_None() =>
        Assert.That(DatabaseAddress.ToVariables("DATABASE_URL", new Secret("postgresql://ann@[::1]/honey")), Does.ContainKey("PGPORT").WithValue("5432").And.ContainKey("PGHOST").WithValue("::1"));

    [TestCase("mysql://ann:secret-word@db/honey")]
    [TestCase("postgres://ann:secret-word@db/")]
    [TestCase("secret-word")]
    public void Should_Refuse_Without_Showing_It_When_It_Is_No_Such_Url(string url) =>
        Assert.That(
            () => DatabaseAddress.ToVariables("DATABASE_URL", new Secret(url)),
            Throws.TypeOf<K3sException>().With.Message.Contains("DATABASE_URL").And.Message.Not.Contains("secret-word"));
}
