using CliWrap;
using CliWrap.Buffered;

namespace Benchmarks;

/// <summary>A command whose duration is measured from outside, as a person at a terminal waits for it.</summary>
internal sealed record TimedCommand(string Program, params string[] Arguments)
{
    private readonly List<TimeSpan> _durations = [];

    /// <summary>The middle one of all durations, which one disturbance does not move.</summary>
    public TimeSpan Median => _durations.Order().ElementAt(_durations.Count / 2);

    /// <summary>Runs it once; it must succeed.</summary>
    public async Task RunAsync(string directory, bool isWarmUp)
    {
        var result = await Cli.Wrap(Program).WithArguments(Arguments).WithWorkingDirectory(directory).ExecuteBufferedAsync();
        Console.Error.WriteLine($"{result.RunTime.TotalSeconds,8:0.00} s  {this}");
        if (!isWarmUp)
        {
            _durations.Add(result.RunTime);
        }
    }

    public override string ToString() => string.Join(' ', Arguments.Prepend(Program));
}
