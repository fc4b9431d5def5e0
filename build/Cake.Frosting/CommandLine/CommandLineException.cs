using Cake.Frosting.Running;

namespace Cake.Frosting.CommandLine;

/// <summary>The command line is wrong; nothing was started.</summary>
internal sealed class CommandLineException : Exception
{
    public CommandLineException(string message)
        : base(message)
    {
        Data[ExitCode.Key] = ExitCode.BadCommandLine;
    }
}
