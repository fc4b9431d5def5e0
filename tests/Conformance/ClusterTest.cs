using System.Text;
using CliWrap;
using CliWrap.Buffered;
using k8s;
using k8s.Models;

namespace Conformance;

/// <summary>A test with a namespace of its own, which goes with it.</summary>
internal abstract class ClusterTest
{
    protected string Namespace { get; private set; } = "";

    protected static IKubernetes Client => ClusterUnderTest.Client;

    [SetUp]
    public async Task MakeNamespaceAsync()
    {
        var made = await Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { GenerateName = "conformance-" } });
        Namespace = made.Name();
    }

    [TearDown]
    public async Task RemoveNamespaceAsync()
    {
        if (Namespace.Length > 0)
        {
            await Client.CoreV1.DeleteNamespaceAsync(Namespace);
        }
    }

    /// <summary>Runs kubectl in the test's namespace; a failure fails the test.</summary>
    protected async Task<string> KubectlAsync(params string[] arguments)
    {
        var result = await TryKubectlAsync(null, arguments);
        Assert.That(result.ExitCode, Is.Zero, $"kubectl {string.Join(' ', arguments)}: {result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }

    /// <summary>Runs kubectl with a manifest as its input; a failure fails the test.</summary>
    protected async Task<string> KubectlWithAsync(string manifest, params string[] arguments)
    {
        var result = await TryKubectlAsync(manifest, arguments);
        Assert.That(result.ExitCode, Is.Zero, $"kubectl {string.Join(' ', arguments)}: {result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }

    /// <summary>Runs kubectl and gives back what it said, whatever its exit code.</summary>
    protected Task<BufferedCommandResult> TryKubectlAsync(string? input, params string[] arguments)
        => TryKubectlAsync(input, new Dictionary<string, string?>(), arguments);

    /// <inheritdoc cref="TryKubectlAsync(string?, string[])"/>
    protected async Task<BufferedCommandResult> TryKubectlAsync(string? input, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        return await Command(arguments).WithEnvironmentVariables(environment).WithStandardInputPipe(input is null ? PipeSource.Null : PipeSource.FromString(input))
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync(Encoding.UTF8, timeout.Token);
    }

    /// <summary>Runs kubectl until a line of its output is as wanted, then ends it.</summary>
    protected async Task<List<string>> KubectlUntilAsync(Func<List<string>, bool> wanted, Func<string, Task>? onLine, params string[] arguments)
    {
        var lines = new List<string>();
        using var enough = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await Command(arguments).WithStandardOutputPipe(PipeTarget.ToDelegate(async line =>
            {
                lines.Add(line);
                if (wanted(lines))
                {
                    await enough.CancelAsync();
                }
                else if (onLine is not null)
                {
                    await onLine(line);
                }
            })).WithValidation(CommandResultValidation.None).ExecuteAsync(enough.Token);
        }
        catch (OperationCanceledException)
        {
            // That was enough, or too long: the lines tell which.
        }

        Assert.That(wanted(lines), $"kubectl {string.Join(' ', arguments)} said:\n{string.Join('\n', lines)}");
        return lines;
    }

    private Command Command(string[] arguments)
        => Cli.Wrap(ClusterUnderTest.Kubectl).WithArguments(["--kubeconfig", ClusterUnderTest.Kubeconfig, "--namespace", Namespace, .. arguments]);
}
