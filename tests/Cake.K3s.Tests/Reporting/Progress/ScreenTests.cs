using System.Text.RegularExpressions;
using Cake.K3s.Reporting.Progress;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Engine;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;

namespace Cake.K3s.Tests.Reporting.Progress;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ScreenTests : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingConsole _plain = new();
    private readonly StringWriter _written = new();
    private readonly Screen _screen;

    public ScreenTests()
    {
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(_written),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        terminal.Profile.Width = 80;
        terminal.Profile.Height = 24;
        _screen = new(_plain, () => terminal, _time);
    }

    [Test]
    public void Should_Be_The_Plain_Console_When_Nobody_Watches()
    {
        using var screen = new Screen(_plain, () => null, _time);
        screen.Show(() => throw new InvalidOperationException("asked"));

        screen.WriteLine("{0} of {1}", 1, 2);
        screen.WriteLine("{braces}");
        screen.Hide();

        Assert.That(_plain.Lines, Is.EqualTo(["1 of 2", "{braces}"]));
    }

    [Test]
    public void Should_Be_No_Terminal_To_Show_A_Display_On_When_It_Is_CI() =>
        Assert.That(Screen.FindTerminal(new EnvironmentVariables(name => name == "CI" ? "true" : null)), Is.Null);

    [Test]
    public void Should_Write_Whole_Lines_Above_The_Display_And_Take_It_Away_In_The_End()
    {
        _screen.Show(() => [new(LineTone.Plain, 0, "the display")]);
        Wait(() => _written.ToString().Contains("the display"));

        _screen.Write("half a ");
        Assert.That(_written.ToString(), Does.Not.Contain("half"));

        _screen.WriteLine("line");
        Assert.That(_written.ToString(), Does.Contain("\e[Jhalf a line\n").Or.Contain("\e[Jhalf a line\r\n"));

        _screen.Hide();
        _screen.WriteLine("after");
        Assert.That(_plain.Lines, Is.EqualTo(["after"]));
        Assert.That(_written.ToString(), Does.EndWith("\e[?25h"), "the cursor is shown again");
    }

    [Test]
    public async Task Should_Lose_No_Line_When_Many_Write_While_It_Is_Redrawn()
    {
        var frame = 0;
        _screen.Show(() => [new(LineTone.Plain, 0, $"frame {Interlocked.Increment(ref frame)}")]);
        var writers = Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
        {
            var line = 0;
            for (; line < 100 || Volatile.Read(ref frame) < 500; line++)
            {
                _screen.WriteLine($"writer {writer} line {line}.");
            }

            return line;
        })));
        var redraw = Task.Run(() =>
        {
            while (!writers.IsCompleted)
            {
                _time.Advance(Tick);
            }
        });

        var lines = await writers.WaitAsync(TimeSpan.FromSeconds(20));
        await redraw;
        _screen.Hide();

        var shown = Regex.Matches(_written.ToString(), @"writer \d line \d+\.").Select(match => match.Value).ToHashSet();
        Assert.That(shown, Has.Count.EqualTo(lines.Sum()));
    }

    public void Dispose()
    {
        _screen.Dispose();
        _written.Dispose();
    }

    private void Wait(Func<bool> until) => Assert.That(
        () =>
        {
            _time.Advance(Tick);
            lock (_written)
            {
                return until();
            }
        },
        Is.True.After(10_000, 10));
}
