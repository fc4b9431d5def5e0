using System.Text;
using Cake.Core;
using Cake.K3s.Settings;
using Spectre.Console;

namespace Cake.K3s.Reporting.Progress;

/// <summary>
/// The console, with a part at its lower end that shows how things stand while whole lines are written above it. Where no person
/// watches a terminal that can do so, it is the plain console, without control codes.
/// </summary>
internal sealed class Screen : IConsole, IDisposable
{
    private const string EraseBelow = "\e[J";
    private const string ShowCursor = "\e[?25h";

    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(200);

    private readonly IConsole _console;
    private readonly Lazy<IAnsiConsole?> _terminal;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly StringBuilder _line = new();
    private CancellationTokenSource? _ending;
    private Task _display = Task.CompletedTask;
    private bool _isLive;

    /// <param name="console">The plain console.</param>
    /// <param name="terminal">The terminal, if one that can show a display is watched by a person; null otherwise.</param>
    /// <param name="time">The clock.</param>
    public Screen(IConsole console, Func<IAnsiConsole?> terminal, TimeProvider time)
    {
        _console = console;
        _terminal = new(terminal);
        _time = time;
    }

    /// <summary>The terminal of this process, if a display can be shown on it.</summary>
    public static IAnsiConsole? FindTerminal(EnvironmentVariables variables)
    {
        if (Console.IsOutputRedirected || variables.IsCI)
        {
            return null;
        }

        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Interactive = InteractionSupport.Yes });
        return terminal.Profile.Capabilities.Ansi ? terminal : null;
    }

    /// <summary>Whether a display can be shown.</summary>
    public bool CanBeLive => _terminal.Value is not null;

    /// <summary>When something was last written without a display.</summary>
    public DateTimeOffset LastWritten { get; private set; }

    /// <inheritdoc/>
    public ConsoleColor ForegroundColor
    {
        get => _console.ForegroundColor;
        set => WhenPlain(() => _console.ForegroundColor = value);
    }

    /// <inheritdoc/>
    public ConsoleColor BackgroundColor
    {
        get => _console.BackgroundColor;
        set => WhenPlain(() => _console.BackgroundColor = value);
    }

    /// <inheritdoc/>
    public bool SupportAnsiEscapeCodes => _console.SupportAnsiEscapeCodes && !Console.IsOutputRedirected;

    /// <summary>Shows lines, made anew a few times a second, until <see cref="Hide"/>.</summary>
    public void Show(Func<IReadOnlyList<ProgressLine>> lines)
    {
        if (_terminal.Value is not { } terminal)
        {
            return;
        }

        lock (_gate)
        {
            _ending = new();
            _isLive = true;
            var view = new ProgressView(terminal);
            var live = new LiveDisplay(terminal, view).AutoClear(true).Overflow(VerticalOverflow.Crop);
            var ending = _ending.Token;
            _display = Task.Run(() => live.StartAsync(context => RedrawAsync(context, view, lines, ending)), CancellationToken.None);
        }
    }

    /// <summary>Takes the display away.</summary>
    public void Hide()
    {
        if (_ending is not { } ending)
        {
            return;
        }

        ending.Cancel();
        _display.GetAwaiter().GetResult();
        lock (_gate)
        {
            _isLive = false;
            ending.Dispose();
            _ending = null;
            if (_line.Length > 0)
            {
                _console.Write("{0}", _line.ToString());
                _line.Clear();
            }
        }
    }

    /// <summary>Gives the terminal back as it was, with a last line, when the process is about to end; waits for nobody.</summary>
    public void Abandon(string line)
    {
        if (_isLive)
        {
            Console.Out.WriteLine(ShowCursor);
        }

        Console.Error.WriteLine(line);
    }

    /// <inheritdoc/>
    public void Write(string format, params object[] arg) => Write(string.Format(null, format, arg));

    /// <inheritdoc/>
    public void Write(string value)
    {
        lock (_gate)
        {
            if (!_isLive)
            {
                LastWritten = _time.GetUtcNow();
                _console.Write("{0}", value);
                return;
            }

            // Only whole lines: the display is below.
            _line.Append(value);
            var text = _line.ToString();
            if (text.LastIndexOf('\n') is >= 0 and var end)
            {
                // Written where the display begins, which is drawn again below; what is left of it goes first.
                _terminal.Value!.Write(new ControlCode(EraseBelow + text[..(end + 1)]));
                _line.Remove(0, end + 1);
            }
        }
    }

    /// <inheritdoc/>
    public void WriteLine(string format, params object[] arg) => WriteLine(string.Format(null, format, arg));

    /// <inheritdoc/>
    public void WriteLine(string value) => Write(value + Environment.NewLine);

    /// <inheritdoc/>
    public void WriteError(string format, params object[] arg) => WriteError(string.Format(null, format, arg));

    /// <inheritdoc/>
    public void WriteError(string value)
    {
        if (_isLive && !Console.IsErrorRedirected)
        {
            Write(value);
        }
        else
        {
            _console.WriteError("{0}", value);
        }
    }

    /// <inheritdoc/>
    public void WriteErrorLine(string format, params object[] arg) => WriteErrorLine(string.Format(null, format, arg));

    /// <inheritdoc/>
    public void WriteErrorLine(string value) => WriteError(value + Environment.NewLine);

    /// <inheritdoc/>
    public void ResetColor() => WhenPlain(_console.ResetColor);

    /// <inheritdoc/>
    public void Dispose() => Hide();

    // On a display colours come as codes within the lines.
    private void WhenPlain(Action action)
    {
        lock (_gate)
        {
            if (!_isLive)
            {
                action();
            }
        }
    }

    private async Task RedrawAsync(LiveDisplayContext context, ProgressView view, Func<IReadOnlyList<ProgressLine>> lines, CancellationToken ending)
    {
        using var timer = new PeriodicTimer(Refresh, _time);
        try
        {
            // What is over within a moment needs no display.
            while (await timer.WaitForNextTickAsync(ending))
            {
                var now = lines();
                if (!now.SequenceEqual(view.Lines))
                {
                    // Spectre takes two locks, and a refresh and a write in opposite orders.
                    lock (_gate)
                    {
                        view.Lines = [.. now];
                        context.Refresh();
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The display ends.
        }
    }
}
