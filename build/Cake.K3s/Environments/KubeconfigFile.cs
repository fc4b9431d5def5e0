using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Environments;

/// <summary>
/// Reads kubeconfig files member by member. A deserializer that finds out the members of the model first, as KubernetesClient's own,
/// takes longer than many a deploy.
/// </summary>
internal static class KubeconfigFile
{
    /// <summary>Reads one.</summary>
    /// <exception cref="YamlException">It is none.</exception>
    public static K8SConfiguration Read(string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(File.ReadAllText(path)));
        var root = stream.Documents.Count == 0 ? new YamlMappingNode() : stream.Documents[0].RootNode;
        if (root is not YamlMappingNode)
        {
            throw new YamlException(root.Start, root.End, "a kubeconfig is a mapping");
        }

        return new()
        {
            FileName = path,
            CurrentContext = Text(root, "current-context"),
            Contexts = [.. Items(root, "contexts").Select(Context)],
            Clusters = [.. Items(root, "clusters").Select(Cluster)],
            Users = [.. Items(root, "users").Select(User)],
        };
    }

    private static Context Context(YamlNode node)
    {
        var details = At(node, "context");
        return new()
        {
            Name = Text(node, "name") ?? "",
            ContextDetails = new() { Cluster = Text(details, "cluster"), User = Text(details, "user"), Namespace = Text(details, "namespace") },
        };
    }

    private static Cluster Cluster(YamlNode node)
    {
        var endpoint = At(node, "cluster");
        return new()
        {
            Name = Text(node, "name") ?? "",
            ClusterEndpoint = new()
            {
                Server = Text(endpoint, "server"),
                TlsServerName = Text(endpoint, "tls-server-name"),
                SkipTlsVerify = IsTrue(endpoint, "insecure-skip-tls-verify"),
                CertificateAuthority = Text(endpoint, "certificate-authority"),
                CertificateAuthorityData = Text(endpoint, "certificate-authority-data"),
            },
        };
    }

    private static User User(YamlNode node)
    {
        var user = At(node, "user");
        return new()
        {
            Name = Text(node, "name") ?? "",
            UserCredentials = new()
            {
                ClientCertificate = Text(user, "client-certificate"),
                ClientCertificateData = Text(user, "client-certificate-data"),
                ClientKey = Text(user, "client-key"),
                ClientKeyData = Text(user, "client-key-data"),
                Token = Text(user, "token"),
                UserName = Text(user, "username"),
                Password = Text(user, "password"),
                AuthProvider = At(user, "auth-provider") is { } provider
                    ? new() { Name = Text(provider, "name"), Config = Texts(At(provider, "config")) }
                    : null,
                ExternalExecution = At(user, "exec") is { } exec ? Execution(exec) : null,
            },
        };
    }

    private static ExternalExecution Execution(YamlNode node) => new()
    {
        ApiVersion = Text(node, "apiVersion"),
        Command = Text(node, "command"),
        Arguments = [.. Items(node, "args").Select(argument => (argument as YamlScalarNode)?.Value ?? "")],
        EnvironmentVariables = [.. Items(node, "env").Select(Texts)],
        InstallHint = Text(node, "installHint"),
        ProvideClusterInfo = IsTrue(node, "provideClusterInfo"),
    };

    private static YamlNode? At(YamlNode? node, string name) =>
        node is YamlMappingNode mapping && mapping.Children.TryGetValue(new YamlScalarNode(name), out var value) && !IsNull(value) ? value : null;

    private static string? Text(YamlNode? node, string name) => (At(node, name) as YamlScalarNode)?.Value;

    private static bool IsTrue(YamlNode? node, string name) => string.Equals(Text(node, name), "true", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<YamlNode> Items(YamlNode node, string name) => (At(node, name) as YamlSequenceNode)?.Children ?? [];

    private static Dictionary<string, string> Texts(YamlNode? node) => node is YamlMappingNode mapping
        ? mapping.Children.Where(member => !IsNull(member.Value)).ToDictionary(member => member.Key.ToString(), member => member.Value.ToString())
        : [];

    private static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" };
}
