using System.Buffers.Binary;
using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;

namespace Cake.K3s.Sandbox.Network;

/// <summary>
/// A route by which every address of a subnet is this machine's own (<c>ip route add local … dev lo</c>), over rtnetlink(7): the machine
/// may have no <c>ip</c>.
/// </summary>
internal static class LocalRoute
{
    private const int Existing = 17;
    private const int Missing = 3;

    /// <summary>Adds the route; one that is there already is fine.</summary>
    /// <exception cref="K3sException">The kernel refused (exit code 5).</exception>
    public static void Add(IPNetwork subnet)
    {
        if (Request(Kind.NewRoute, 0x400, subnet) is var error && error is not (0 or Existing))
        {
            throw new K3sException(
                ExitCodes.RequirementMissing,
                $"the sandbox cannot make {subnet} addresses of this machine, so Services have no reachable addresses: {new Win32Exception(error).Message}",
                "Run as root with CAP_NET_ADMIN.");
        }
    }

    /// <summary>Removes the route; one that is not there is fine.</summary>
    /// <exception cref="K3sException">The kernel refused (exit code 1).</exception>
    public static void Remove(IPNetwork subnet)
    {
        if (Request(Kind.DeleteRoute, 0, subnet) is var error && error is not (0 or Missing))
        {
            throw new K3sException(ExitCodes.Failed, $"the sandbox cannot remove the route of {subnet}: {new Win32Exception(error).Message}", $"ip route del local {subnet} dev lo");
        }
    }

    /// <summary>The request as rtnetlink takes it.</summary>
    internal static byte[] Message(ushort type, ushort flags, IPNetwork subnet)
    {
        const int Length = 16 + 12 + 8 + 8;
        var message = new byte[Length];
        var span = message.AsSpan();

        // struct nlmsghdr: length, type, NLM_F_REQUEST | NLM_F_ACK and more, sequence, port.
        MemoryMarshal.Write(span, Length);
        MemoryMarshal.Write(span[4..], type);
        MemoryMarshal.Write(span[6..], (ushort)(0x1 | 0x4 | flags));
        MemoryMarshal.Write(span[8..], 1);

        // struct rtmsg: AF_INET, prefix length, RT_TABLE_LOCAL, RTPROT_STATIC, RT_SCOPE_HOST, RTN_LOCAL.
        ReadOnlySpan<byte> route = [2, (byte)subnet.PrefixLength, 0, 0, 255, 4, 254, 2];
        route.CopyTo(span[16..]);

        // RTA_DST, then RTA_OIF; the loopback is interface 1 of every network namespace.
        MemoryMarshal.Write(span[28..], (ushort)8);
        MemoryMarshal.Write(span[30..], (ushort)1);
        subnet.BaseAddress.TryWriteBytes(span[32..], out _);
        MemoryMarshal.Write(span[36..], (ushort)8);
        MemoryMarshal.Write(span[38..], (ushort)4);
        MemoryMarshal.Write(span[40..], 1);
        return message;
    }

    /// <summary>The error number of the kernel's answer; 0 is success.</summary>
    private static int Request(Kind kind, ushort flags, IPNetwork subnet)
    {
        var socket = OpenSocket(16, 3, 0);
        if (socket < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        try
        {
            var message = Message((ushort)kind, flags, subnet);
            if (Send(socket, message, message.Length, 0) < 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            // struct nlmsgerr follows the header: the negated error number.
            var answer = new byte[1024];
            return Receive(socket, answer, answer.Length, 0) < 0
                ? Marshal.GetLastPInvokeError()
                : -(BitConverter.IsLittleEndian ? BinaryPrimitives.ReadInt32LittleEndian(answer.AsSpan(16)) : BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(16)));
        }
        finally
        {
            _ = Close(socket);
        }
    }

    private enum Kind : ushort
    {
        NewRoute = 24,
        DeleteRoute = 25,
    }

    [DllImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static extern int OpenSocket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "send", SetLastError = true)]
    private static extern nint Send(int socket, byte[] message, nint length, int flags);

    [DllImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static extern nint Receive(int socket, byte[] message, nint length, int flags);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
