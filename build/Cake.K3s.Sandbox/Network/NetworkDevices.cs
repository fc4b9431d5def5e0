using System.Net.NetworkInformation;

namespace Cake.K3s.Sandbox.Network;

/// <summary>The machine's network devices, which come and go while other sandboxes and their containers do.</summary>
internal static class NetworkDevices
{
    private const int Tries = 10;

    /// <summary>Lists them.</summary>
    public static NetworkInterface[] All() => Listed(NetworkInterface.GetAllNetworkInterfaces);

    /// <summary>Whether there is one of that name.</summary>
    public static bool Exists(string name) => All().Any(device => device.Name == name);

    /// <summary>
    /// Lists them again where .NET could not: a device that comes or goes amid it is an address of no length to it, which it refuses with an
    /// <see cref="ArgumentException"/>, or an error of the kernel (dotnet/runtime issue 49515).
    /// </summary>
    internal static T Listed<T>(Func<T> list)
    {
        for (var tries = Tries; ; tries--)
        {
            try
            {
                return list();
            }
            catch (Exception failure) when (failure is ArgumentException or NetworkInformationException && tries > 1)
            {
                // The next look finds another list.
            }
        }
    }
}
