using System.Text;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>One rule of UFW, of one address family.</summary>
internal sealed record UfwRule
{
    /// <summary>What is done with what matches: <c>allow</c>, <c>deny</c>, <c>reject</c> or <c>limit</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Where it comes from; every address of the family where the rule names none.</summary>
    public required AddressRange Source { get; init; }

    /// <summary>Where it goes to; every address of the family where the rule names none.</summary>
    public required AddressRange Destination { get; init; }

    /// <summary><c>tcp</c>, <c>udp</c>, <c>esp</c>…, or <c>any</c>.</summary>
    public string Protocol { get; init; } = "any";

    /// <summary>The ports it goes to.</summary>
    public PortSet Ports { get; init; } = PortSet.Any;

    /// <summary>The ports it comes from.</summary>
    public PortSet SourcePorts { get; init; } = PortSet.Any;

    /// <summary>The application profile that names the ports, e.g. <c>Nginx Full</c>; null for none.</summary>
    public string? Application { get; init; }

    /// <summary>The same of the ports it comes from.</summary>
    public string? SourceApplication { get; init; }

    /// <summary><c>in</c> or <c>out</c>; both devices can be set in a rule for forwarded packets.</summary>
    public string Direction { get; init; } = "in";

    /// <summary>The device it comes in by; null for each.</summary>
    public string? InDevice { get; init; }

    /// <summary>The device it goes out by; null for each.</summary>
    public string? OutDevice { get; init; }

    /// <summary><c>log</c>, <c>log-all</c>, or null.</summary>
    public string? Log { get; init; }

    /// <summary>Whether it is about forwarded packets.</summary>
    public bool Routed { get; init; }

    /// <summary>The operator's comment; null for none.</summary>
    public string? Comment { get; init; }

    /// <summary>Whether it lets in what matches.</summary>
    public bool LetsIn => !Routed && Direction == "in" && Action is "allow" or "limit";

    /// <summary>
    /// The rule in UFW's own words, without the comment: what <c>ufw delete</c> finds it by. Rules of both families that differ in
    /// nothing else have the same text, and UFW adds and deletes them together.
    /// </summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder(Routed ? "route " : "").Append(Action);
            _ = Direction == "out" && !Routed && OutDevice is null ? text.Append(" out") : text;
            _ = InDevice is { } incoming ? text.Append(" in on ").Append(incoming) : text;
            _ = OutDevice is { } outgoing ? text.Append(" out on ").Append(outgoing) : text;
            _ = Log is { } log ? text.Append(' ').Append(log) : text;
            _ = Protocol != "any" && Application is null && SourceApplication is null ? text.Append(" proto ").Append(Protocol) : text;
            text.Append(" from ").Append(Source.IsAny ? "any" : Source.ToString());
            AppendPorts(text, SourcePorts, SourceApplication);
            text.Append(" to ").Append(Destination.IsAny ? "any" : Destination.ToString());
            AppendPorts(text, Ports, Application);
            return text.ToString();
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Comment is { } comment ? $"{Text}  # {comment}" : Text;

    /// <summary>
    /// Reads one <c>### tuple ###</c> line of <c>user.rules</c> or <c>user6.rules</c>, which is how UFW itself keeps its rules; null where
    /// this is no such line.
    /// </summary>
    public static UfwRule? Parse(string line)
    {
        // ### tuple ### [route:]ACTION[_LOG] PROTO DPORT DST SPORT SRC [DAPP SAPP] DIRECTION[_DEVICE][!out_DEVICE] [comment=HEX]
        const string Marker = "### tuple ### ";
        if (!line.StartsWith(Marker, StringComparison.Ordinal))
        {
            return null;
        }

        var words = line[Marker.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).ToList();
        string? comment = null;
        if (words.Count > 0 && words[^1].StartsWith("comment=", StringComparison.Ordinal))
        {
            comment = Encoding.UTF8.GetString(Convert.FromHexString(words[^1]["comment=".Length..]));
            words.RemoveAt(words.Count - 1);
        }

        if (words.Count is not (7 or 9)
            || PortSet.Parse(words[2]) is not { } ports
            || PortSet.Parse(words[4]) is not { } sourcePorts
            || !AddressRange.TryParse(words[3], out var destination)
            || !AddressRange.TryParse(words[5], out var source))
        {
            return null;
        }

        var routed = words[0].StartsWith("route:", StringComparison.Ordinal);
        var action = (routed ? words[0]["route:".Length..] : words[0]).Split('_', 2);
        var devices = words[^1].Split('!').Select(device => device.Split('_', 2)).ToList();
        return new UfwRule
        {
            Action = action[0],
            Log = action.Length == 2 ? action[1] : null,
            Routed = routed,
            Protocol = words[1],
            Ports = ports,
            Destination = destination,
            SourcePorts = sourcePorts,
            Source = source,
            Application = words.Count == 9 ? ApplicationOf(words[6]) : null,
            SourceApplication = words.Count == 9 ? ApplicationOf(words[7]) : null,
            Direction = devices[0][0],
            InDevice = DeviceOf(devices, "in"),
            OutDevice = DeviceOf(devices, "out"),
            Comment = comment,
        };
    }

    private static string? ApplicationOf(string word) => word == "-" ? null : Uri.UnescapeDataString(word);

    private static string? DeviceOf(IEnumerable<string[]> devices, string direction) =>
        devices.FirstOrDefault(device => device.Length == 2 && device[0] == direction)?[1];

    private static void AppendPorts(StringBuilder text, PortSet ports, string? application)
    {
        if (application is not null)
        {
            text.Append(" app '").Append(application).Append('\'');
        }
        else if (!ports.IsAny)
        {
            text.Append(" port ").Append(ports);
        }
    }
}
