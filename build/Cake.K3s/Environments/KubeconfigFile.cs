using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Cake.K3s.Environments;

/// <summary>Reads kubeconfig files. KubernetesClient's own reader looks through all its model types first, which takes longer than many a deploy.</summary>
internal static class KubeconfigFile
{
    /// <summary>Reads one.</summary>
    /// <exception cref="YamlException">It is none.</exception>
    public static async Task<K8SConfiguration> ReadAsync(string path)
    {
        var reader = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).IgnoreUnmatchedProperties().Build();
        var contents = reader.Deserialize<K8SConfiguration>(await File.ReadAllTextAsync(path)) ?? new();
        contents.FileName = path;
        return contents;
    }
}
