using Cake.Shared;

namespace Cake.K3s.Tests.Targets;

public sealed class HangingLinesTests
{
    [Test]
    public void Should_GoOnBelowTheSecondColumn_When_ALineIsTooLong() =>
        Assert.That(HangingLines.Fit("  --plan=FILE  apply exactly this plan, or refuse", 40), Is.EqualTo(new[]
        {
            "  --plan=FILE  apply exactly this plan,",
            "               or refuse",
        }));

    [Test]
    public void Should_IndentALittle_When_TheSecondColumnIsTooNarrow() =>
        Assert.That(HangingLines.Fit("  ./build.sh --target=Deploy  here and now", 34), Is.EqualTo(new[] { "  ./build.sh --target=Deploy  here", "    and now" }));

    [Test]
    public void Should_KeepALongWordWhole() =>
        Assert.That(HangingLines.Fit("one https://example.com/a/long/address two", 12), Is.EqualTo(new[] { "one", "  https://example.com/a/long/address", "  two" }));

    [Test]
    public void Should_KeepWhatFits() => Assert.That(HangingLines.Fit("  a  b", 6), Is.EqualTo(new[] { "  a  b" }));
}
