using System.Collections.Immutable;

namespace Cake.K3s.Nodes.Facts;

/// <summary>What was read of a node at one time.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="OperatorAddress">The address that this machine's connection comes from, as the node sees it.</param>
/// <param name="Address">The node's address that the connection goes to.</param>
/// <param name="SshPort">The port that the connection goes to.</param>
/// <param name="System">The operating system's name, e.g. <c>Ubuntu 24.04.1 LTS</c>.</param>
/// <param name="IsDebianFamily">Whether it is Debian, Ubuntu or made from them.</param>
/// <param name="Unfinished">The name of the control whose change was cut off; null for none.</param>
/// <param name="Applied">The names of the controls that were applied and can be undone.</param>
/// <param name="Sections">What each source's script printed, by the source's name.</param>
internal sealed record NodeFacts(
    string Node,
    string OperatorAddress,
    string Address,
    int SshPort,
    string System,
    bool IsDebianFamily,
    string? Unfinished,
    ImmutableHashSet<string> Applied,
    ImmutableDictionary<string, string> Sections)
{
    /// <summary>What the node is to K3s.</summary>
    public K3sRole K3s { get; init; }

    /// <summary>What the script of a source printed.</summary>
    public string Of(string source) => Sections.GetValueOrDefault(source, "");

    /// <summary>The rest of each line of a source that begins with <c>KEY=</c>.</summary>
    public IEnumerable<string> Values(string source, string key) => Of(source)
        .Split('\n')
        .Where(line => line.StartsWith(key + "=", StringComparison.Ordinal))
        .Select(line => line[(key.Length + 1)..]);

    /// <summary>The rest of the first line of a source that begins with <c>KEY=</c>; empty where there is none.</summary>
    public string Value(string source, string key) => Values(source, key).FirstOrDefault("");
}

/// <summary>What a node is to K3s, by the unit that its installer makes.</summary>
internal enum K3sRole
{
    /// <summary>Nothing: K3s is not installed.</summary>
    None,

    /// <summary>A server: the API, etcd, and usually pods.</summary>
    Server,

    /// <summary>An agent: pods alone.</summary>
    Agent,
}
