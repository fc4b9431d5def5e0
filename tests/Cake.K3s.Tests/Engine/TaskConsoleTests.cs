using Cake.K3s.Engine;

namespace Cake.K3s.Tests.Engine;

public sealed class TaskConsoleTests
{
    private RecordingConsole _screen = null!;
    private TaskConsole _console = null!;

    [SetUp]
    public void SetUp()
    {
        _screen = new RecordingConsole();
        _console = new TaskConsole(_screen);
    }

    [Test]
    public void Should_Write_At_Once_When_No_Task_Runs()
    {
        _console.Write("no line yet");

        Assert.That(_screen.Lines, Is.EqualTo(["no line yet"]));
    }

    [Test]
    public void Should_Show_The_First_Task_Live_And_The_Second_When_The_First_Has_Ended()
    {
        var first = new Writer(_console);
        var second = new Writer(_console);

        first.WriteLine("first 1");
        second.WriteLine("second 1");
        first.WriteLine("first 2");
        Assert.That(_screen.Lines, Is.EqualTo(["first 1", "first 2"]));

        first.End();
        Assert.That(_screen.Lines, Is.EqualTo(["first 1", "first 2", "second 1"]));

        second.WriteLine("second 2");
        Assert.That(_screen.Lines, Has.Length.EqualTo(4));
    }

    [Test]
    public void Should_Show_A_Line_Only_When_It_Is_Whole()
    {
        var writer = new Writer(_console);

        writer.Write("half");
        Assert.That(_screen.Lines, Is.Empty);

        writer.WriteLine(" whole");
        Assert.That(_screen.Lines, Is.EqualTo(["half whole"]));
    }

    [Test]
    public void Should_Show_An_Unfinished_Line_When_The_Task_Ends()
    {
        var writer = new Writer(_console);

        writer.Write("half");
        writer.End();

        Assert.That(_screen.Lines, Is.EqualTo(["half"]));
    }

    [Test]
    public void Should_Show_A_Failed_Task_At_Once_And_Say_Which_One_Goes_On()
    {
        var first = new Writer(_console, "Lint");
        var second = new Writer(_console, "Test");
        first.WriteLine("first");
        second.WriteLine("second failed");

        second.End(showNow: true);
        first.WriteLine("first again");
        first.WriteLine("and again");

        Assert.That(_screen.Lines, Is.EqualTo(["first", "second failed", "Lint goes on:", "first again", "and again"]));
    }

    [Test]
    public void Should_Keep_The_Order_When_A_Later_Task_Ends_First()
    {
        var first = new Writer(_console);
        var second = new Writer(_console);
        var third = new Writer(_console);
        third.WriteLine("third");
        second.WriteLine("second");
        third.End();
        second.End();
        Assert.That(_screen.Lines, Is.Empty);

        first.End();
        Assert.That(_screen.Lines, Is.EqualTo(["second", "third"]));
    }

    // A task with a flow of its own, which does what the test says when it says it.
    private sealed class Writer
    {
        private readonly ExecutionContext _flow;
        private readonly TaskConsole _console;
        private TaskConsole.Section? _section;

        public Writer(TaskConsole console, string name = "Task")
        {
            _console = console;
            ExecutionContext? flow = null;
            ExecutionContext.Run(ExecutionContext.Capture()!, _ =>
            {
                _section = console.Open(name);
                console.Enter(_section);
                flow = ExecutionContext.Capture();
            }, null);
            _flow = flow!;
        }

        public void Write(string text) => InFlow(() => _console.Write(text));

        public void WriteLine(string text) => InFlow(() => _console.WriteLine(text));

        public void End(bool showNow = false) => InFlow(() => _console.Close(_section!, showNow));

        private void InFlow(Action action) => ExecutionContext.Run(_flow, _ => action(), null);
    }
}
