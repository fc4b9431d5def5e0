using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;
using Cake.K3s.Sandbox.Network;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>
/// A bridge of the machine, made with the ioctls of netdevice(7): the machine may have no <c>ip</c>, and an engine that is
/// left to make its own calls it docker0, which may be another engine's.
/// </summary>
internal static class Bridge
{
    /// <summary>Makes the bridge with its address, or leaves it as it is.</summary>
    /// <exception cref="K3sException">The kernel refused (exit code 5).</exception>
    public static void Ensure(string name, IPAddress address, IPAddress mask)
    {
        if (!NetworkDevices.Exists(name))
        {
            Control(name, "make", Request.AddBridge, new InterfaceRequest { Name = name }, byName: true);
        }

        Control(name, "set the address of", Request.SetAddress, new InterfaceRequest { Name = name, Address = Socket(address) });
        Control(name, "set the netmask of", Request.SetNetmask, new InterfaceRequest { Name = name, Address = Socket(mask) });
        Control(name, "start", Request.SetFlags, new InterfaceRequest { Name = name, Address = Flags(up: true) });
    }

    /// <summary>Removes the bridge and so the routes through it; one that is not there is fine.</summary>
    public static void Remove(string name)
    {
        if (NetworkDevices.Exists(name))
        {
            Control(name, "stop", Request.SetFlags, new InterfaceRequest { Name = name, Address = Flags(up: false) });
            Control(name, "remove", Request.RemoveBridge, new InterfaceRequest { Name = name }, byName: true);
        }
    }

    /// <summary>The names of the machine's interfaces that have an address within a network.</summary>
    public static IEnumerable<string> Within(IPNetwork network) =>
        from candidate in NetworkDevices.All()
        where candidate.GetIPProperties().UnicastAddresses.Any(address => network.Contains(address.Address))
        select candidate.Name;

    private static void Control(string name, string what, Request request, InterfaceRequest argument, bool byName = false)
    {
        var socket = OpenSocket(InternetFamily, Datagram, 0);
        try
        {
            // The two requests about the bridge itself take the bare name, the others a struct ifreq.
            var result = byName ? Ioctl(socket, (nuint)request, name) : Ioctl(socket, (nuint)request, ref argument);
            if (result != 0)
            {
                var error = new Win32Exception(Marshal.GetLastPInvokeError());
                throw new K3sException(
                    ExitCodes.RequirementMissing,
                    $"the sandbox cannot {what} the bridge {name} for its pods: {error.Message}",
                    "Run as root with CAP_NET_ADMIN, or set DOCKER_HOST to an engine with the containerd image store.",
                    innerException: error);
            }
        }
        finally
        {
            _ = Close(socket);
        }
    }

    // struct sockaddr_in: family in the machine's order, port 0, address in network order, padding.
    private static byte[] Socket(IPAddress address) => [InternetFamily, 0, 0, 0, .. address.GetAddressBytes(), .. new byte[16]];

    // A short at the start of the union: IFF_UP.
    private static byte[] Flags(bool up) => [up ? (byte)1 : (byte)0, .. new byte[23]];

    private const int InternetFamily = 2;
    private const int Datagram = 2;

    // linux/sockios.h
    private enum Request
    {
        SetFlags = 0x8914,
        SetAddress = 0x8916,
        SetNetmask = 0x891c,
        AddBridge = 0x89a0,
        RemoveBridge = 0x89a1,
    }

    // struct ifreq: 40 bytes.
    [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Ansi)]
    private struct InterfaceRequest
    {
        [MarshalAs(UnmanagedType.ByValTStr, SizeConst = 16)]
        public string Name;

        [MarshalAs(UnmanagedType.ByValArray, SizeConst = 24)]
        public byte[]? Address;
    }

    [DllImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static extern int OpenSocket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static extern int Ioctl(int descriptor, nuint request, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static extern int Ioctl(int descriptor, nuint request, ref InterfaceRequest argument);
}
