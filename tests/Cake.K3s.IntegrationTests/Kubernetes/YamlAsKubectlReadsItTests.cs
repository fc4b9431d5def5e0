using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;
using CliWrap.Buffered;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>Asks kubectl itself what scalars mean.</summary>
public sealed class YamlAsKubectlReadsItTests
{
    private const string Text = """
        apiVersion: example.com/v1
        kind: Thing
        metadata: {name: a}
        spec:
          s01: 0644
          s02: on
          s03: y
          s04: 1_000
          s05: 0o17
          s06: 0b11
          s07: 1e3
          s08: 089
          s09: 1:30
          s10: 2026-01-01
          s11: .5
          s12: 1.0
          s13: ~
          s14: 0x1F
          s15: !!str 5
          s16: "on"
          s17: -0644
          s18: !!binary aGk=
          s19: 1.10
          s20: 0.1e-2
          s21: ! 5
          s22: 0_1
          s23: 1.
          s24: .e3
          s25: 0x
          s26: 1e
          s27: !!float 5
          s28: 1__0
          s29: _1
          s30: 1e400
          s31: No
          s32: 2001-12-14t21:59:43.10-05:00
          s33: 9223372036854775807
          s34: -9223372036854775808
          s35: "0x1F"
          s36: +.5
          s37: =
          on: key
          n: key
          1: key
          1.5: key
          base: &base {a: 1, b: 2}
          merged: {<<: *base, b: 3}
          folded: >
            one
            two
          kept: |+
            one

          last: end
        """;

    [Test]
    public async Task Should_read_what_kubectl_reads()
    {
        var file = Path.Combine(Path.GetTempPath(), $"scalars-{Guid.NewGuid():N}.yaml");
        try
        {
            await File.WriteAllTextAsync(file, Text);
            var result = await CliWrap.Cli.Wrap(KubectlPath())
                .WithArguments(["annotate", "--local", "-f", file, "x=y", "-o", "json"])
                .WithEnvironmentVariables(variables => variables.Set("KUBECONFIG", "/dev/null"))
                .ExecuteBufferedAsync();
            var theirs = JsonNode.Parse(result.StandardOutput)!["spec"]!;
            var ours = YamlReader.Read(Text, new SourceMap(file)).Single()["spec"]!;

            foreach (var (name, value) in theirs.AsObject())
            {
                Assert.That(JsonNode.DeepEquals(ours[name], value), Is.True, $"{name}: {ours[name]?.ToJsonString()} is not {value?.ToJsonString()}");
            }

            Assert.That(ours.AsObject(), Has.Count.EqualTo(theirs.AsObject().Count));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string KubectlPath()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(directory => Path.Combine(directory, "kubectl"))
            .FirstOrDefault(File.Exists);
        if (path is null && Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Ignore("there is no kubectl on PATH");
        }

        return path ?? throw new FileNotFoundException("there is no kubectl on PATH");
    }
}
