using System.Runtime.ExceptionServices;
using System.Text;
using Cake.K3s.Settings;

namespace Cake.K3s.Processes;

/// <summary>Takes the lines of both streams of one command, masks them, passes them on and keeps them.</summary>
internal sealed class OutputCapture(Command command, ISecretMask mask)
{
    /// <summary>How many lines an error shows.</summary>
    public const int LastLineCount = 20;

    private readonly Lock _adding = new();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly Queue<string> _last = new();
    private readonly CancellationTokenSource _abandoned = new();
    private ExceptionDispatchInfo? _callbackFailure;

    /// <summary>The end of both streams as they came, oldest first.</summary>
    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (_adding)
            {
                return [.. _last];
            }
        }
    }

    /// <summary>All that was read, as the result of the command.</summary>
    public CommandResult Result(int exitCode, TimeSpan elapsed)
    {
        lock (_adding)
        {
            _callbackFailure?.Throw();
            var output = _output.ToString();
            return command.OutputIsSecret
                ? new CommandResult(exitCode, "", _error.ToString(), elapsed) { SecretOutput = new Secret(output) }
                : new CommandResult(exitCode, output, _error.ToString(), elapsed);
        }
    }

    /// <summary>Reads no further: what is still open belongs to a process that the command left behind.</summary>
    public Task AbandonAsync() => _abandoned.CancelAsync();

    /// <summary>Reads a stream to its end, or until it is abandoned.</summary>
    public async Task ReadAsync(Stream stream, bool isError)
    {
        using var reader = new StreamReader(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        try
        {
            while (await reader.ReadLineAsync(_abandoned.Token) is { } line)
            {
                Add(line, isError);
            }
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // What was read so far is the command's output.
        }
    }

    private void Add(string line, bool isError)
    {
        // One line at a time, so that a callback need not be safe for several threads.
        lock (_adding)
        {
            if (command.OutputIsSecret && !isError)
            {
                _output.Append(line).Append('\n');
                return;
            }

            var masked = mask.Hide(line);
            (isError ? _error : _output).Append(masked).Append('\n');
            _last.Enqueue(masked);
            if (_last.Count > LastLineCount)
            {
                _last.Dequeue();
            }

            try
            {
                command.OnLine?.Invoke(new OutputLine(masked, isError));
            }
            catch (Exception failure)
            {
                // Thrown at the end: if nobody read on, the program would wait for ever on a full pipe.
                _callbackFailure ??= ExceptionDispatchInfo.Capture(failure);
            }
        }
    }
}
