using Honeydue.Api;
using Npgsql;

namespace Honeydue.Tests;

public sealed class ConnectionUrlTests
{
    [Test]
    public void Should_read_every_part_of_the_address()
    {
        var read = new NpgsqlConnectionStringBuilder(
            ConnectionUrl.ToConnectionString("postgres://ann:p%40ss@db.example.com:6432/honeydue?sslmode=require"));

        Assert.Multiple(() =>
        {
            Assert.That(read.Host, Is.EqualTo("db.example.com"));
            Assert.That(read.Port, Is.EqualTo(6432));
            Assert.That(read.Username, Is.EqualTo("ann"));
            Assert.That(read.Password, Is.EqualTo("p@ss"));
            Assert.That(read.Database, Is.EqualTo("honeydue"));
            Assert.That(read.SslMode, Is.EqualTo(SslMode.Require));
        });
    }

    [Test]
    public void Should_take_the_usual_port_when_none_is_given()
    {
        var read = new NpgsqlConnectionStringBuilder(ConnectionUrl.ToConnectionString("postgres://ann:secret@db/honeydue"));

        Assert.That(read.Port, Is.EqualTo(5432));
    }
}
