using Cake.Core;

namespace Cake.K3s.Engine;

/// <summary>
/// A console on which the lines of tasks that run at the same time stay together: the one that started first writes live, the
/// others are kept until it ends, a failed one is shown at once.
/// </summary>
internal sealed class TaskConsole(IConsole console) : IConsole
{
    private readonly Lock _gate = new();
    private readonly AsyncLocal<Section?> _current = new();
    private readonly List<Section> _open = [];

    /// <inheritdoc/>
    public ConsoleColor ForegroundColor
    {
        get => _current.Value?.ForegroundColor ?? console.ForegroundColor;
        set
        {
            if (_current.Value is { } section)
            {
                section.ForegroundColor = value;
            }

            Write(target => target.ForegroundColor = value, endsLine: false);
        }
    }

    /// <inheritdoc/>
    public ConsoleColor BackgroundColor
    {
        get => _current.Value?.BackgroundColor ?? console.BackgroundColor;
        set
        {
            if (_current.Value is { } section)
            {
                section.BackgroundColor = value;
            }

            Write(target => target.BackgroundColor = value, endsLine: false);
        }
    }

    /// <inheritdoc/>
    public bool SupportAnsiEscapeCodes => console.SupportAnsiEscapeCodes;

    /// <summary>Begins the section of a task; sections are shown in the order in which they began.</summary>
    public Section Open(string task)
    {
        lock (_gate)
        {
            var section = new Section(task, console.ForegroundColor, console.BackgroundColor);
            _open.Add(section);
            return section;
        }
    }

    /// <summary>What the caller and all it calls write from here on belongs to a section.</summary>
    public void Enter(Section section) => _current.Value = section;

    /// <summary>Ends a section.</summary>
    public void Close(Section section, bool showNow)
    {
        lock (_gate)
        {
            section.IsClosed = true;
            if (showNow && _open[0] != section)
            {
                section.Flush(console);
                _open[0].Interrupt();
            }

            while (_open is [var first, ..])
            {
                first.Flush(console);
                if (!first.IsClosed)
                {
                    break;
                }

                _open.RemoveAt(0);
            }
        }
    }

    /// <inheritdoc/>
    public void Write(string format, params object[] arg) => Write(target => target.Write(format, arg), endsLine: false);

    /// <inheritdoc/>
    public void Write(string value) => Write(target => target.Write(value), endsLine: false);

    /// <inheritdoc/>
    public void WriteLine(string format, params object[] arg) => Write(target => target.WriteLine(format, arg), endsLine: true);

    /// <inheritdoc/>
    public void WriteLine(string value) => Write(target => target.WriteLine(value), endsLine: true);

    /// <inheritdoc/>
    public void WriteError(string format, params object[] arg) => Write(target => target.WriteError(format, arg), endsLine: false);

    /// <inheritdoc/>
    public void WriteError(string value) => Write(target => target.WriteError(value), endsLine: false);

    /// <inheritdoc/>
    public void WriteErrorLine(string format, params object[] arg) => Write(target => target.WriteErrorLine(format, arg), endsLine: true);

    /// <inheritdoc/>
    public void WriteErrorLine(string value) => Write(target => target.WriteErrorLine(value), endsLine: true);

    /// <inheritdoc/>
    public void ResetColor()
    {
        if (_current.Value is { } section)
        {
            section.ForegroundColor = console.ForegroundColor;
            section.BackgroundColor = console.BackgroundColor;
        }

        Write(target => target.ResetColor(), endsLine: false);
    }

    private void Write(Action<IConsole> write, bool endsLine)
    {
        lock (_gate)
        {
            // What a task left running in the background writes after its end has no section any more.
            if (_current.Value is not { IsClosed: false } section)
            {
                write(console);
                return;
            }

            section.Add(write, endsLine);
            if (endsLine && _open[0] == section)
            {
                section.Flush(console);
            }
        }
    }

    /// <summary>What one task has written and the console not yet shown.</summary>
    internal sealed class Section(string task, ConsoleColor foreground, ConsoleColor background)
    {
        private readonly List<Action<IConsole>> _pending = [];
        private int _whole;
        private bool _isShown;
        private bool _isInterrupted;

        public ConsoleColor ForegroundColor { get; set; } = foreground;

        public ConsoleColor BackgroundColor { get; set; } = background;

        public bool IsClosed { get; set; }

        // Another task's lines were shown after this one's.
        public void Interrupt() => _isInterrupted = _isShown;

        public void Add(Action<IConsole> write, bool endsLine)
        {
            _pending.Add(write);
            _whole = endsLine ? _pending.Count : _whole;
        }

        // Only whole lines, until no more can follow.
        public void Flush(IConsole console)
        {
            var count = IsClosed ? _pending.Count : _whole;
            if (count == 0)
            {
                return;
            }

            if (_isInterrupted)
            {
                console.WriteLine(string.Empty);
                console.WriteLine(task + " goes on:");
                _isInterrupted = false;
            }

            _pending.GetRange(0, count).ForEach(write => write(console));
            _pending.RemoveRange(0, count);
            _whole = 0;
            _isShown = true;
        }
    }
}
