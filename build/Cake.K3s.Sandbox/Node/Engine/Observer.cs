namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>Progress that is handled where it is reported; the framework's own hands it to another thread, out of order.</summary>
internal sealed class Observer<T>(Action<T> handle) : IProgress<T>
{
    public void Report(T value) => handle(value);
}
