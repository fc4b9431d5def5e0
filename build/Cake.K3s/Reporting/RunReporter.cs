using Cake.K3s.Processes;

namespace Cake.K3s.Reporting;

/// <summary>Adds time and task to each event, hides secrets and control codes, and passes it on.</summary>
internal sealed class RunReporter(IEnumerable<IRunObserver> observers, ISecretMask mask, CurrentTask task, TimeProvider time) : IReporter
{
    private readonly IRunObserver[] _observers = [.. observers];

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        runEvent = runEvent.Masked(text => mask.Hide(PlainText.Of(text))) with
        {
            At = runEvent.At == default ? time.GetUtcNow() : runEvent.At,
            Task = runEvent.Task ?? task.Name,
        };
        foreach (var observer in _observers)
        {
            observer.Observe(runEvent);
        }
    }
}
