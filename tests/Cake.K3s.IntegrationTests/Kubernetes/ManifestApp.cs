using System.Security.Cryptography;
using Cake.K3s.IntegrationTests.Pipeline;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Tests.Kubernetes.Releases;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>An app without images of its own in a folder of its own, deployed by the compiled host as an operator does it.</summary>
internal sealed class ManifestApp : IDisposable
{
    public const string Name = DeployRun.App;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory($"cake-k3s-manifests-{Environment.ProcessId}-");

    /// <param name="api">The Kubernetes API without TLS and without credentials; the registry answers there as well.</param>
    /// <param name="namespaceName">Where it is deployed to.</param>
    /// <param name="settings">More of deploy.yaml.</param>
    public ManifestApp(Uri api, string namespaceName = Name, string settings = "")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write("cosign.key", "nothing is signed");
        Write("cosign.pub", key.ExportSubjectPublicKeyInfoPem());
        Write("kubeconfig", Kubeconfig(api.ToString()));
        Write("deploy.yaml", $$"""
            app: {{Name}}
            images: {}
            manifests: [manifests]
            defaultEnvironment: test
            signing: {privateKey: cosign.key}
            {{settings}}
            environments:
              test:
                cluster: {kubeconfig: kubeconfig}
                registry: {address: {{api.Authority}}/own, insecure: true}
                namespace: {{namespaceName}}

            """);

        // Buildx and cosign are there already, if any test has needed them.
        Directory.CreateDirectory(Path.Combine(TestSandbox.RepositoryRoot, ".tools"));
        Directory.CreateSymbolicLink(Path.Combine(Root, ".tools"), Path.Combine(TestSandbox.RepositoryRoot, ".tools"));
    }

    public string Root => _root.FullName;

    /// <summary>Text of a kubeconfig.</summary>
    /// <param name="server">The API's address.</param>
    /// <param name="user">The user's credentials, as members of a YAML flow mapping.</param>
    public static string Kubeconfig(string server, string user = "token: any") => $$$"""
        apiVersion: v1
        kind: Config
        current-context: test
        clusters: [{name: test, cluster: {server: "{{{server}}}", insecure-skip-tls-verify: true}}]
        contexts: [{name: test, context: {cluster: test, user: me}}]
        users: [{name: me, user: {{{{user}}}}}]
        """;

    public void Write(string file, string text)
    {
        var path = Path.Combine(Root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    public RunningHost Start(params string[] arguments) => RunningHost.Start(Root, arguments);

    public async Task<FinishedRun> RunAsync(params string[] arguments)
    {
        using var host = Start(arguments);
        return await host.EndAsync();
    }

    public void Dispose() => _root.Delete(recursive: true);
}
