using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>A body in YAML, read as manifests are.</summary>
internal static class YamlBody
{
    /// <exception cref="FormatException">It is not YAML, or grows beyond reason through its aliases.</exception>
    public static JsonNode? Read(byte[] yaml)
    {
        try
        {
            return YamlReader.Read(Encoding.UTF8.GetString(yaml), new SourceMap("yaml")).FirstOrDefault();
        }
        catch (SettingsException exception)
        {
            throw new FormatException($"error converting YAML to JSON: {exception.Summary}", exception);
        }
    }
}
