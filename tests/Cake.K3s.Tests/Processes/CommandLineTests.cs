using Cake.K3s.Processes;

namespace Cake.K3s.Tests.Processes;

public sealed class CommandLineTests
{
    [Test]
    public void Should_quote_only_what_a_shell_would_read_differently()
    {
        var command = new Command("docker", "build", "--label", "a=b c", "it's", "");

        Assert.That(CommandLine.Of(command), Is.EqualTo("docker build --label 'a=b c' 'it'\\''s' ''"));
    }
}
