using System.Collections.Immutable;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cake.K3s.Reporting.Progress;

/// <summary>Draws lines of progress: none wraps, and no more than the terminal can hold.</summary>
internal sealed class ProgressView(IAnsiConsole console) : Renderable
{
    private const int BarWidth = 20;
    private const int Indent = 2;

    /// <summary>What is drawn.</summary>
    public ImmutableArray<ProgressLine> Lines { get; set; } = [];

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        // One line stays free for the cursor, one above the display, and one for what is written above that.
        var room = Math.Max(1, console.Profile.Height - 3);
        var shown = Lines.Length <= room ? Lines : [.. Lines.Take(room - 1), new(LineTone.Quiet, 1, $"and {Lines.Length - room + 1} more lines")];
        return shown.SelectMany(line => Fit(Draw(line, options.Unicode), Math.Max(1, maxWidth - 1), options.Unicode ? "…" : "...").Append(Segment.LineBreak))
            .Prepend(Segment.LineBreak);
    }

    private static IEnumerable<Segment> Fit(IEnumerable<Segment> line, int width, string ellipsis)
    {
        foreach (var segment in line)
        {
            var count = segment.CellCount();
            if (count > width)
            {
                yield return Segment.Truncate(segment, Math.Max(0, width - ellipsis.Length)) ?? Segment.Empty;
                yield return new(ellipsis, segment.Style);
                yield break;
            }

            width -= count;
            yield return segment;
        }
    }

    private static IEnumerable<Segment> Draw(ProgressLine line, bool unicode)
    {
        if (line.Depth > 0)
        {
            yield return new(new string(' ', line.Depth * Indent));
        }

        if (Mark(line, unicode) is { } mark)
        {
            yield return new(mark + " ", StyleOf(line.Tone));
        }

        if (line.Share is { } share)
        {
            var full = (int)Math.Round(Math.Clamp(share, 0, 1) * BarWidth);
            yield return new(new string(unicode ? '━' : '#', full), new Style(Color.Aqua));
            yield return new(new string(unicode ? '━' : '-', BarWidth - full) + " ", new Style(Color.Grey));
        }

        // A line break or a tab would move what follows.
        yield return new(line.Text.Replace('\t', ' ').Split('\n', 2)[0], line.Tone is LineTone.Good or LineTone.Busy ? Style.Plain : StyleOf(line.Tone));
    }

    // The first level is about tasks and has marks; what is below belongs to them.
    private static string? Mark(ProgressLine line, bool unicode) => line switch
    {
        { Depth: 1, Tone: LineTone.Good } or { Depth: 2, Tone: LineTone.Good } => unicode ? "✓" : "+",
        { Depth: 1, Tone: LineTone.Bad } or { Depth: 2, Tone: LineTone.Bad } => unicode ? "✗" : "x",
        { Depth: 1, Tone: LineTone.Busy } => unicode ? "●" : "*",
        { Depth: 2, Tone: LineTone.Doubtful } => "!",
        { Depth: 1, Tone: LineTone.Quiet } => unicode ? "○" : ".",
        _ => null,
    };

    private static Style StyleOf(LineTone tone) => tone switch
    {
        LineTone.Title => new(decoration: Decoration.Bold),
        LineTone.Busy => new(Color.Aqua),
        LineTone.Good => new(Color.Green),
        LineTone.Doubtful => new(Color.Yellow),
        LineTone.Bad => new(Color.Red),
        LineTone.Quiet => new(Color.Grey),
        _ => Style.Plain,
    };
}
