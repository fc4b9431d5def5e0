using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Tests.Kubernetes;

/// <summary>Objects written as YAML.</summary>
internal static class Yaml
{
    public static JsonObject Object(string yaml) => YamlReader.Read(yaml, new SourceMap("test.yaml")).Single().AsObject();

    public static Manifest Manifest(string yaml, string file = "app.yaml")
    {
        var map = new SourceMap(file);
        return new(YamlReader.Read(yaml, map).Single().AsObject(), map);
    }
}
