using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Settings;

public sealed class DurationTests
{
    [TestCase("90s", 90)]
    [TestCase("5m", 300)]
    [TestCase("1h30m", 5400)]
    [TestCase("1.5s", 1.5)]
    [TestCase("1m500ms", 60.5)]
    [TestCase("0", 0)]
    public void Should_ReadGoForm_When_Valid(string text, double seconds)
    {
        Assert.That(Duration.TryParse(text, out var duration));
        Assert.That(duration.Value, Is.EqualTo(TimeSpan.FromSeconds(seconds)));
    }

    [TestCase("")]
    [TestCase("5")]
    [TestCase("-5m")]
    [TestCase("5 m")]
    [TestCase("5m1h")]
    [TestCase("5min")]
    [TestCase("5m\n")]
    [TestCase("9999999h")]
    public void Should_Refuse_When_NotInGoForm(string text) =>
        Assert.That(Duration.TryParse(text, out _), Is.False);

    [TestCase("90s", "1m30s")]
    [TestCase("25h", "25h")]
    [TestCase("0", "0s")]
    [TestCase("500ms", "500ms")]
    public void Should_PrintShortestForm(string text, string printed)
    {
        Assert.That(Duration.TryParse(text, out var duration));
        Assert.That(duration.ToString(), Is.EqualTo(printed));
    }
}
