using System.Text;
using Cake.Core;

namespace Cake.K3s.Tests.Engine;

/// <summary>Keeps what is written, output and errors in one text, as a terminal shows them.</summary>
internal sealed class RecordingConsole : IConsole
{
    private readonly StringBuilder _text = new();

    public ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    public ConsoleColor BackgroundColor { get; set; }

    public bool SupportAnsiEscapeCodes => false;

    public string[] Lines => _text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void Write(string format, params object[] arg) => _text.AppendFormat(null, format, arg);

    public void Write(string value) => _text.Append(value);

    public void WriteLine(string format, params object[] arg) => _text.AppendFormat(null, format, arg).Append('\n');

    public void WriteLine(string value) => _text.Append(value).Append('\n');

    public void WriteError(string format, params object[] arg) => Write(format, arg);

    public void WriteError(string value) => Write(value);

    public void WriteErrorLine(string format, params object[] arg) => WriteLine(format, arg);

    public void WriteErrorLine(string value) => WriteLine(value);

    public void ResetColor()
    {
    }
}
