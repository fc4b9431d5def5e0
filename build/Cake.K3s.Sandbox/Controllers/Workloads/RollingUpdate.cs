using System.Globalization;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>How many pods a rolling update may have too many or too few.</summary>
internal static class RollingUpdate
{
    /// <summary>maxSurge and maxUnavailable in pods: percentages of surge round up, of unavailability down; both zero would never move.</summary>
    public static (int Surge, int Unavailable) Limits(V1Deployment deployment)
    {
        if (deployment.Spec.Strategy?.Type == "Recreate")
        {
            return (0, 0);
        }

        var replicas = deployment.Spec.Replicas ?? 1;
        var surge = Scaled(deployment.Spec.Strategy?.RollingUpdate?.MaxSurge, "25%", replicas, up: true);
        var unavailable = Scaled(deployment.Spec.Strategy?.RollingUpdate?.MaxUnavailable, "25%", replicas, up: false);
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, Math.Min(unavailable, replicas));
    }

    /// <summary>A number of pods, or a percentage of the whole.</summary>
    public static int Scaled(IntOrString? value, string otherwise, int whole, bool up)
    {
        var text = value?.Value ?? otherwise;
        if (!text.EndsWith('%'))
        {
            return int.Parse(text, CultureInfo.InvariantCulture);
        }

        var share = int.Parse(text[..^1], CultureInfo.InvariantCulture) * whole / 100.0;
        return (int)(up ? Math.Ceiling(share) : Math.Floor(share));
    }
}
