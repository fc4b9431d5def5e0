using Cake.Core;

namespace Cake.K3s.Tests.Engine;

/// <summary>Setups of the tests share nothing with tasks.</summary>
internal sealed class NoData : ICakeDataService
{
    public TData Get<TData>()
        where TData : class => throw new NotSupportedException();

    public void Add<TData>(TData value)
        where TData : class
    {
    }
}
