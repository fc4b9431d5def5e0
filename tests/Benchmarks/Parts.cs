using System.Collections.Immutable;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Benchmarks;

/// <summary>The parts that a run spends its own time in.</summary>
[MemoryDiagnoser]
public class Parts
{
    private readonly SecretMask _mask = new();
    private string _directory = "";
    private string _yaml = "";
    private JsonObject _before = [];
    private JsonObject _after = [];
    private Observation _observation = null!;
    private BuildInputs _inputs = null!;

    /// <summary>Runs them, and writes BenchmarkDotNet's table alone to standard output.</summary>
    public static int Run()
    {
        var summary = BenchmarkRunner.Run<Parts>(ManualConfig.CreateMinimumViable()
            .WithOptions(ConfigOptions.DisableLogFile)
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "cake-k3s-bench-parts")));
        Console.WriteLine(Mark);
        MarkdownExporter.GitHub.ExportToLog(summary, ConsoleLogger.Ascii);
        return summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success) ? 1 : 0;
    }

    /// <summary>What stands above the table: before it is BenchmarkDotNet's own report of how it went.</summary>
    internal const string Mark = "Parts:";

    /// <summary>200 manifests, 500 files, 20 secrets.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("cake-k3s-bench-").FullName;
        SyntheticApp.Write(_directory, 200);
        _yaml = string.Join("---\n", Directory.EnumerateFiles(Path.Combine(_directory, "plain")).Order().Select(File.ReadAllText));
        _before = Workload(1);
        _after = Workload(2);
        _observation = new()
        {
            Object = _before,
            ReplicaSets = [],
            Pods = [],
            Events = [],
            StartedAt = DateTimeOffset.UnixEpoch,
            Now = DateTimeOffset.UnixEpoch.AddSeconds(10),
        };
        var context = Directory.CreateDirectory(Path.Combine(_directory, "image")).FullName;
        File.WriteAllText(Path.Combine(context, "Dockerfile"), "FROM scratch\nCOPY . /\n");
        for (var i = 0; i < 500; i++)
        {
            File.WriteAllBytes(Path.Combine(context, $"file{i}"), new byte[10_000]);
        }

        _inputs = new(new ImageSettings { Context = "image" }, "linux/amd64", ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        for (var i = 0; i < 20; i++)
        {
            _mask.Add(new Secret($"secret-number-{i:000000}"));
        }
    }

    /// <summary>Takes the files away.</summary>
    [GlobalCleanup]
    public void CleanUp() => Directory.Delete(_directory, recursive: true);

    /// <summary>Reads 200 manifests.</summary>
    [Benchmark(Description = "read 200 manifests")]
    public int ReadYaml() => YamlReader.Read(_yaml, new SourceMap("app.yaml")).Count;

    /// <summary>Compares two Deployments.</summary>
    [Benchmark(Description = "diff of a Deployment")]
    public int Diff() => FieldDiff.Between(_before, _after).Count();

    /// <summary>Judges a Deployment.</summary>
    [Benchmark(Description = "verdict on a Deployment")]
    public object Judge() => ReadinessRules.Judge(_observation);

    /// <summary>The key of an image of 500 files.</summary>
    [Benchmark(Description = "content key of 500 files, 5 MB")]
    public Task<string> Key() => ContentKey.ComputeAsync(_directory, _inputs, default);

    /// <summary>Masks a line.</summary>
    [Benchmark(Description = "mask 20 secrets in a line")]
    public string Mask() => _mask.Hide("a line of 100 characters with a secret-number-000007 in it, as a program writes many of them a second");

    private static JsonObject Workload(int version) => JsonNode.Parse($$$"""
        {"apiVersion":"apps/v1","kind":"Deployment",
         "metadata":{"name":"api","namespace":"shop","uid":"d1","generation":2,"annotations":{"deployment.kubernetes.io/revision":"2"}},
         "spec":{"replicas":3,"selector":{"matchLabels":{"app":"api"} },"template":{"metadata":{"labels":{"app":"api"}},
          "spec":{"containers":[{"name":"api","image":"registry.local/api:{{{version}}}","ports":[{"containerPort":8000}],"env":[{"name":"A","value":"{{{version}}}"}]}]} } },
         "status":{"observedGeneration":2,"replicas":3,"updatedReplicas":3,"availableReplicas":3,"readyReplicas":3}}
        """)!.AsObject();
}
