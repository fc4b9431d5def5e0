using System.Globalization;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Probes;

/// <summary>Ports by number or by the name that the container gives them.</summary>
internal static class ContainerPorts
{
    /// <summary>The number; 0 where no port has the name, so that the connection fails as it does with a kubelet.</summary>
    public static int Resolve(IntOrString port, V1Container container)
    {
        if (int.TryParse(port.Value, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        return container.Ports?.FirstOrDefault(candidate => candidate.Name == port.Value)?.ContainerPort ?? 0;
    }
}
