using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>Remembers where the nodes of one file stand, so that an error or a finding can name the line.</summary>
internal sealed class SourceMap(string file)
{
    private readonly Dictionary<JsonNode, (int Line, int Column)> _places = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<JsonNode> _plain = new(ReferenceEqualityComparer.Instance);

    public string File { get; } = file;

    public void Add(JsonNode node, long line, long column) => _places[node] = ((int)line, (int)column);

    /// <summary>Remembers a string that was written without quotes.</summary>
    public void AddPlain(JsonNode node) => _plain.Add(node);

    public bool IsPlain(JsonNode node) => _plain.Contains(node);

    /// <summary>Gives a node that takes another's part the other's place.</summary>
    public void Move(JsonNode from, JsonNode to)
    {
        if (_places.TryGetValue(from, out var place))
        {
            _places[to] = place;
        }
    }

    /// <summary>Where a node stands; for one that was not read from the file, where its nearest ancestor does.</summary>
    public ManifestPlace PlaceOf(JsonNode? node)
    {
        for (; node is not null; node = node.Parent)
        {
            if (_places.TryGetValue(node, out var place))
            {
                return new(File, place.Line, place.Column);
            }
        }

        return new(File, 0, 0);
    }
}
