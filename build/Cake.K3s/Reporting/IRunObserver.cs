namespace Cake.K3s.Reporting;

/// <summary>
/// Makes something of what happens in a run: lines, a live display, a report, a commit status. Any number of them is registered as
/// services; each is given every event, with its time and task, and with secrets masked.
/// </summary>
public interface IRunObserver
{
    /// <summary>
    /// Takes one event; called from many threads. It returns soon, because the run waits for it, and throws nothing: what takes long or
    /// may fail goes through a queue that the observer empties when it is disposed of.
    /// </summary>
    void Observe(RunEvent runEvent);
}
