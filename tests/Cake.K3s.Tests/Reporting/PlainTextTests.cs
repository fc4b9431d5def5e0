using Cake.K3s.Reporting;

namespace Cake.K3s.Tests.Reporting;

public sealed class PlainTextTests
{
    [TestCase("plain\ttext\nof two lines")]
    [TestCase("ünïcode ✓ 漢字")]
    public void Should_Leave_Text_As_It_Is(string text) => Assert.That(PlainText.Of(text), Is.EqualTo(text));

    [TestCase("\e[31;1mred\e[0m text", "red text")]
    [TestCase("\e]0;title\aand more", "and more")]
    [TestCase("\e]8;;http://x\e\\link\e]8;;\e\\", "link")]
    [TestCase("\e[2K\e[1Gover", "over")]
    [TestCase("\e(Bx\e", "x")]
    [TestCase("a\bb\0c\x7f", "abc")]
    [TestCase("10%\r50%\r100%", "100%")]
    [TestCase("windows\r\nlines\r\n", "windows\nlines\n")]
    public void Should_Remove_What_Is_Meant_For_A_Terminal(string text, string expected) => Assert.That(PlainText.Of(text), Is.EqualTo(expected));
}
