using Cake.K3s.Processes;

namespace Cake.K3s.Tests.Processes;

public sealed class ShellCommandTests
{
    [Test]
    public void Should_stop_at_the_first_failing_line_When_the_shell_is_sh()
    {
        var command = ShellCommand.Of("false\necho on", windows: false);

        Assert.That(CommandLine.Of(command), Is.EqualTo("sh -ec 'false\necho on'"));
    }

    [Test]
    public void Should_stop_at_the_first_failing_line_When_the_shell_is_PowerShell()
    {
        var command = ShellCommand.Of("dotnet test", windows: true);

        Assert.That(command.Program, Is.EqualTo("pwsh"));
        Assert.That(command.Arguments[^1], Does.StartWith("$ErrorActionPreference='Stop'").And.EndWith("dotnet test"));
    }
}
