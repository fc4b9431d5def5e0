using System.Collections.Concurrent;
using System.Globalization;
using Cake.Core.Diagnostics;

namespace Cake.K3s.Tests.Fixtures;

/// <summary>Keeps what is logged, each line behind its level.</summary>
internal sealed class LogRecorder : ICakeLog
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    public Verbosity Verbosity { get; set; } = Verbosity.Normal;

    public void Write(Verbosity verbosity, LogLevel level, string format, params object[] args) =>
        _lines.Enqueue($"{level} {string.Format(CultureInfo.InvariantCulture, format, args)}");
}
