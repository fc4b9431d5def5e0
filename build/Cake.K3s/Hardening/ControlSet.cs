using System.Collections.Immutable;
using Cake.Shared;

namespace Cake.K3s.Hardening;

/// <summary>All controls, in the order in which they are applied: that of their registration.</summary>
internal sealed class ControlSet(IEnumerable<IControl> controls)
{
    /// <summary>The controls, in order.</summary>
    public ImmutableArray<IControl> All { get; } = [.. controls];

    /// <summary>The controls of these names, in the order in which they are applied, whatever order they are named in; all where none is.</summary>
    /// <exception cref="K3sException">There is no control of a name (exit code 2).</exception>
    public ImmutableArray<IControl> Of(ImmutableArray<string> names)
    {
        var named = names.Select(Named).ToHashSet();
        return names.IsEmpty ? All : [.. All.Where(named.Contains)];
    }

    /// <summary>The control of a name.</summary>
    /// <exception cref="K3sException">There is none (exit code 2).</exception>
    public IControl Named(string name)
    {
        if (All.FirstOrDefault(control => control.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } control)
        {
            return control;
        }

        var nearest = NearestName.Find(name, All.Select(known => known.Name));
        throw new K3sException(
            ExitCodes.BadInput,
            $"there is no control '{name}'",
            nearest is null ? $"There are: {string.Join(", ", All.Select(known => known.Name))}." : $"Did you mean '{nearest}'?");
    }
}
