using CliWrap;
using CliWrap.Buffered;
using k8s;

[assembly: Category("Conformance")]

namespace Conformance;

/// <summary>
/// The cluster that the tests run on: the one that CONFORMANCE_KUBECONFIG names. Without it they are skipped. KUBECTL names the
/// kubectl to use; CONFORMANCE_IMAGE a redis image that the cluster can pull.
/// </summary>
[SetUpFixture]
internal sealed class ClusterUnderTest
{
    public static string Kubeconfig { get; } = Environment.GetEnvironmentVariable("CONFORMANCE_KUBECONFIG") ?? "";

    public static string Image { get; } = Environment.GetEnvironmentVariable("CONFORMANCE_IMAGE") is { Length: > 0 } image ? image : "docker.io/library/redis:8-alpine";

    public static string Kubectl { get; } = Environment.GetEnvironmentVariable("KUBECTL") is { Length: > 0 } path ? path : "kubectl";

    public static IKubernetes Client { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task ConnectAsync()
    {
        if (Kubeconfig.Length == 0)
        {
            Assert.Ignore("CONFORMANCE_KUBECONFIG names no cluster.");
        }

        Client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(Kubeconfig));
        await Client.Version.GetCodeAsync();
        await Cli.Wrap(Kubectl).WithArguments(["version", "--client"]).ExecuteBufferedAsync();
    }

    [OneTimeTearDown]
    public void Disconnect() => Client?.Dispose();
}
