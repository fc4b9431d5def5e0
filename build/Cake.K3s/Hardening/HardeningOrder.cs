using System.Collections.Immutable;

namespace Cake.K3s.Hardening;

/// <summary>What waits for what where several controls are applied.</summary>
internal static class HardeningOrder
{
    /// <summary>
    /// The controls in their order, in waves of which each begins when the one before it is proved. Harmless controls that follow each other are
    /// one wave; any other control is a wave of its own.
    /// </summary>
    public static ImmutableArray<ImmutableArray<IControl>> Waves(IEnumerable<IControl> controls)
    {
        var waves = ImmutableArray.CreateBuilder<ImmutableArray<IControl>>();
        foreach (var control in controls)
        {
            if (control.IsHarmless && waves.Count > 0 && waves[^1][0].IsHarmless)
            {
                waves[^1] = waves[^1].Add(control);
            }
            else
            {
                waves.Add([control]);
            }
        }

        return waves.ToImmutable();
    }
}
