using System.Threading.Channels;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Lifecycle;

/// <summary>Does what changes of stored objects ask for: noted within the write, done one after the other in the background.</summary>
/// <typeparam name="TWork">What is noted of a change.</typeparam>
internal abstract class StoreController<TWork> : BackgroundService
{
    private readonly ILogger _logger;
    private readonly Channel<TWork> _waiting = Channel.CreateUnbounded<TWork>(new UnboundedChannelOptions { SingleReader = true });

    protected StoreController(ObjectStore store, ILogger logger)
    {
        (Store, _logger) = (store, logger);
        store.Changed += OnChanged;
    }

    protected ObjectStore Store { get; }

    public override void Dispose()
    {
        Store.Changed -= OnChanged;
        base.Dispose();
    }

    /// <summary>Called within each write; notes what is to be done about it.</summary>
    protected abstract void OnChanged(WatchEvent change);

    /// <exception cref="ApiException">It cannot be done; that is logged, and the next is handled.</exception>
    protected abstract void Handle(TWork work);

    protected void Note(TWork work) => _waiting.Writer.TryWrite(work);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var work in _waiting.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                Handle(work);
            }
            catch (ApiException exception)
            {
                _logger.LogWarning("{Work}: {Message}", work, exception.Message);
            }
        }
    }
}
