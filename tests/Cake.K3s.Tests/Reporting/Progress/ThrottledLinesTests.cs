using Cake.K3s.Reporting.Progress;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Reporting.Progress;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ThrottledLinesTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _written = [];
    private readonly ThrottledLines _lines;

    public ThrottledLinesTests() => _lines = new(_time, (source, text) => _written.Add($"{source} {text}"));

    [Test]
    public void Should_Write_The_First_At_Once_And_Then_The_Latest_Of_Each_Second()
    {
        _lines.Add("api", "1");
        _lines.Add("api", "2");
        _lines.Add("api", "3");
        Assert.That(_written, Is.EqualTo(["api 1"]));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(_written, Is.EqualTo(["api 1", "api 3"]));

        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(_written, Has.Count.EqualTo(2));
    }

    [Test]
    public void Should_Write_One_Line_A_Second_Over_All_Sources()
    {
        foreach (var source in (string[])["api", "admin", "worker"])
        {
            _lines.Add(source, "1");
        }

        List<int> counts = [];
        for (var second = 0; second < 3; second++)
        {
            counts.Add(_written.Count);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(counts, Is.EqualTo([1, 2, 3]));
    }

    [Test]
    public void Should_Write_Nothing_More_When_The_Source_Has_Come_To_Its_End()
    {
        _lines.Add("api", "1");
        _lines.Add("api", "2");

        _lines.Drop("api");
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.That(_written, Is.EqualTo(["api 1"]));
    }

    [Test]
    public void Should_Write_In_The_Context_Of_The_Caller()
    {
        var task = new AsyncLocal<string>();
        string? seen = null;
        using var lines = new ThrottledLines(TimeProvider.System, (_, text) => seen = text == "2" ? task.Value : null);
        task.Value = "Deploy";
        lines.Add("api", "1");
        lines.Add("api", "2");
        task.Value = "Other";

        Assert.That(() => seen, Is.EqualTo("Deploy").After(3000, 20));
    }

    public void Dispose() => _lines.Dispose();
}
