using Cake.K3s.Hardening;

namespace Cake.K3s.Tests.Hardening;

public sealed class HardeningOrderTests
{
    [TestCase("", "")]
    [TestCase("R", "R")]
    [TestCase("H", "H")]
    [TestCase("RRR", "R R R")]
    [TestCase("HHH", "HHH")]
    [TestCase("RHHRRHR", "R HH R R H R")]
    [TestCase("HRH", "H R H")]
    public void Should_BeginWithTheProofOfTheOneBefore_When_OneOfTheTwoIsNotHarmless(string controls, string waves)
    {
        var found = HardeningOrder.Waves(controls.Select(letter => new FakeControl($"{letter}") { IsHarmless = letter == 'H' }));

        Assert.That(string.Join(' ', found.Select(wave => string.Concat(wave.Select(control => control.Name)))), Is.EqualTo(waves));
    }
}
