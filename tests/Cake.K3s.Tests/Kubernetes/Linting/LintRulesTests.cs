using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Linting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Kubernetes.Linting;

public sealed class LintRulesTests
{
    private const string Sound = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec:
          replicas: 2
          template:
            metadata: {labels: {app: api}}
            spec:
              automountServiceAccountToken: false
              securityContext: {runAsNonRoot: true}
              containers:
                - name: api
                  image: r/api@sha256:00
                  ports: [{name: http, containerPort: 8000}]
                  readinessProbe: {httpGet: {path: /, port: http}}
                  resources: {requests: {cpu: 1m}, limits: {memory: 1Mi}}
                  securityContext: {allowPrivilegeEscalation: false}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: api}
        spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: http}]}
        ---
        apiVersion: policy/v1
        kind: PodDisruptionBudget
        metadata: {name: api}
        spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: api}
        spec: {rules: [{http: {paths: [{backend: {service: {name: api, port: {name: http}}}}]}}]}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: database}
        stringData: {url: "postgres://(secret)@db"}
        """;

    private static List<LintFinding> Check(string yaml)
    {
        var map = new SourceMap("app.yaml");
        var manifests = YamlReader.Read(yaml, map).Select(node => new Manifest(node.AsObject(), map));
        var settings = new DeploySettings
        {
            App = "shop",
            Images = System.Collections.Immutable.ImmutableDictionary<string, ImageSettings>.Empty,
            Environments = System.Collections.Immutable.ImmutableDictionary<string, EnvironmentSettings>.Empty,
            File = "/nowhere/deploy.yaml",
        };
        return ManifestLinter.Check(settings, new([.. manifests], null), "shop");
    }

    [Test]
    public void Should_find_nothing_When_all_is_sound() => Assert.That(Check(Sound), Is.Empty);

    [TestCase("kind: Deployment", "kind: Deploymnt", "app.yaml:2:7", "Deploymnt/api: the API knows no kind Deploymnt; did you mean Deployment?")]
    [TestCase("apiVersion: apps/v1", "apiVersion: apps/v1beta1", "app.yaml:1:13", "the API knows no Deployment in apps/v1beta1; it is in apps/v1")]
    [TestCase("apiVersion: v1\nkind: Secret", "apiVersion: apps/v1\nkind: Secret", "app.yaml:", "the API knows no Secret in apps/v1; it is in v1")]
    public void Should_say_that_alone_When_the_api_has_no_such_kind(string sound, string mistake, string place, string message)
    {
        var yaml = Sound.Replace(sound, mistake);
        Assert.That(yaml, Is.Not.EqualTo(Sound));

        var findings = Check(yaml);

        Assert.That(findings, Has.Count.EqualTo(1));
        Assert.That(findings[0].Rule.Id, Is.EqualTo("K3S020"));
        Assert.That(findings[0].ToString(), Does.StartWith(place).And.Contain(message));
    }

    [TestCase("traefik.io/v1alpha1", "Middleware")]
    [TestCase("gateway.networking.k8s.io/v1", "HTTPRoute")]
    [TestCase("v1", "Event")]
    [TestCase("events.k8s.io/v1", "Event")]
    [TestCase("autoscaling/v2", "HorizontalPodAutoscaler")]
    [TestCase("apiextensions.k8s.io/v1", "CustomResourceDefinition")]
    public void Should_leave_a_kind_alone_When_the_api_has_it_or_a_definition_may(string apiVersion, string kind) =>
        Assert.That(Check($"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: x}}"), Is.Empty);

    [Test]
    public void Should_go_on_with_the_other_rules_When_an_unknown_kind_is_suppressed() =>
        Assert.That(
            Check(Sound.Replace("kind: Deployment\nmetadata: {name: api}", "kind: Deploymnt\nmetadata: {name: api, annotations: {cake-k3s/lint-ignore: unknown-kind}}")).Select(finding => finding.Rule.Id),
            Does.Contain("K3S006").And.Not.Contain("K3S020"));

    [TestCase("minAvailable: 1", "minAvailable: 2", "K3S001", "minAvailable 2 of the 2 replicas of Deployment/api")]
    [TestCase("minAvailable: 1", "minAvailable: 60%", "K3S001", "no pod can ever be evicted")]
    [TestCase("minAvailable: 1", "maxUnavailable: 0", "K3S001", "maxUnavailable 0")]
    [TestCase("replicas: 2", "replicas: 1", "K3S001", "minAvailable 1 of the 1 replica of")]
    [TestCase("{name: api}\nspec:\n  replicas", "{name: api, annotations: {cake-k3s/start-time: 2m}}\nspec:\n  replicas", null, null)]
    [TestCase("port: http}}\n", "port: web}}\n", "K3S003", "readinessProbe of container api asks port web")]
    [TestCase("          readinessProbe: {httpGet: {path: /, port: http}}\n", "", "K3S004", "Service/api leads to it")]
    [TestCase("requests: {cpu: 1m}, ", "", "K3S005", "container api has no requests")]
    [TestCase("selector: {app: api}, ports", "selector: {app: other}, ports", "K3S006", "no pod template")]
    [TestCase("service: {name: api", "service: {name: apo", "K3S007", "there is no Service 'apo'")]
    [TestCase("port: {name: http}}}", "port: {number: 81}}}", "K3S007", "Service/api has no port 81")]
    [TestCase("spec: {rules", "spec: {tls: [{secretName: cert}], rules", "K3S008", "there is no Secret 'cert'")]
    [TestCase("targetPort: http", "targetPort: 9000", "K3S009", "no container of Deployment/api has the port 9000")]
    [TestCase("@sha256:00", ":latest", "K3S010", "runs r/api:latest")]
    [TestCase("spec:\n      automount", "spec:\n      nodeSelector: {kubernetes.io/arch: arm64}\n      automount", "K3S011", "kubernetes.io/arch arm64")]
    [TestCase("r/api@sha256:00", "arm64v8/api@sha256:00", "K3S011", "runs arm64v8/api@sha256:00, which is for linux/arm64v8")]
    [TestCase("r/api@sha256:00", "r/api:3.2-arm64@sha256:00", "K3S011", "which is for linux/arm64")]
    [TestCase("spec:\n      automount", "spec:\n      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [arm64]}]}]}}}\n      automount", "K3S011", "whose kubernetes.io/arch is not amd64")]
    [TestCase("spec:\n      automount", "spec:\n      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [arm64, amd64]}]}]}}}\n      automount", null, null)]
    [TestCase("{name: api}\nspec:\n  replicas", "{name: api, annotations: {cake-k3s/paths: /healthz}}\nspec:\n  replicas", "K3S019", "readinessProbe of container api asks /, which is not among its paths: /healthz")]
    [TestCase("{name: api}\nspec:\n  replicas", "{name: api, annotations: {cake-k3s/paths: '/*'}}\nspec:\n  replicas", null, null)]
    [TestCase("{name: api}\nspec:\n  replicas", "{name: api, annotations: {cake-k3s/paths: '/healthz, /'}}\nspec:\n  replicas", null, null)]
    [TestCase("      automountServiceAccountToken: false\n", "", "K3S012", "token")]
    [TestCase("{allowPrivilegeEscalation: false}", "{privileged: true}", "K3S013", "container api is privileged")]
    [TestCase("spec:\n      automount", "spec:\n      hostNetwork: true\n      automount", "K3S013", "hostNetwork is set")]
    [TestCase("spec:\n      automount", "spec:\n      volumes: [{name: x, hostPath: {path: /}}]\n      automount", "K3S013", "volume x")]
    [TestCase("(secret)@db", "me:pw@db", "K3S014", "stringData.url is written out")]
    [TestCase("runAsNonRoot: true", "runAsUser: 0", "K3S018", "may run as root")]
    public void Should_find_it_When_the_mistake_is(string sound, string mistake, string? rule, string? message)
    {
        var yaml = Sound.Replace(sound, mistake);
        Assert.That(yaml, Is.Not.EqualTo(Sound));

        var found = Check(yaml);

        if (rule is null)
        {
            Assert.That(found, Is.Empty);
        }
        else
        {
            Assert.That(found.Select(finding => finding.Rule.Id), Is.EqualTo(new[] { rule }));
            Assert.That(found.Single().ToString(), Does.Contain(message));
        }
    }

    [TestCase("startupProbe: {httpGet: {port: http}, periodSeconds: 1, failureThreshold: 60}", false)]
    [TestCase("startupProbe: {httpGet: {port: http}, periodSeconds: 2, failureThreshold: 60}", true)]
    [TestCase("livenessProbe: {httpGet: {port: http}}", false)]
    public void Should_compare_the_startup_budget_with_the_declared_time(string probe, bool isEnough)
    {
        var yaml = Sound.Replace("metadata: {name: api}\nspec:\n  replicas", "metadata: {name: api, annotations: {cake-k3s/start-time: 2m}}\nspec:\n  replicas")
            .Replace("          readinessProbe", $"          {probe}\n          readinessProbe");

        Assert.That(Check(yaml).Select(finding => finding.Rule.Id), Is.EqualTo(isEnough ? [] : new[] { "K3S002" }));
    }

    [TestCase("", true)]
    [TestCase("  strategy: {type: Recreate}\n", false)]
    [TestCase("  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}\n", false)]
    public void Should_find_a_singleton_that_runs_twice_during_a_rollout(string strategy, bool isFound)
    {
        var worker = Sound.Split("---")[0].Replace("replicas: 2\n", "replicas: 1\n" + strategy);

        Assert.That(Check(worker).Select(finding => finding.Rule.Id), Is.EqualTo(isFound ? new[] { "K3S015" } : []));
    }

    [TestCase("K3S010")]
    [TestCase("image-not-pinned, K3S001 -- the vendor signs its tags")]
    public void Should_leave_out_what_an_annotation_suppresses(string annotation)
    {
        var yaml = Sound.Replace("@sha256:00", ":1")
            .Replace("metadata: {name: api}\nspec:\n  replicas", $"metadata: {{name: api, annotations: {{cake-k3s/lint-ignore: \"{annotation}\"}}}}\nspec:\n  replicas");

        Assert.That(Check(yaml), Is.Empty);
    }

    [Test]
    public void Should_name_file_and_line()
    {
        Assert.That(Check(Sound.Replace("@sha256:00", ":1")).Single().Place.ToString(), Is.EqualTo("app.yaml:13:18"));
    }

    [Test]
    public void Should_write_what_code_hosts_read()
    {
        var sarif = JsonNode.Parse(Sarif.Write(Check(Sound.Replace("@sha256:00", ":1"))))!;

        var result = sarif["runs"]![0]!["results"]![0]!;
        Assert.That((string?)result["ruleId"], Is.EqualTo("K3S010"));
        Assert.That((string?)result["level"], Is.EqualTo("warning"));
        Assert.That((int?)result["locations"]![0]!["physicalLocation"]!["region"]!["startLine"], Is.EqualTo(13));
    }

    [TestCase("COPY out /app", new[] { "out" })]
    [TestCase("COPY --chown=1:1 ./a b/ /app/", new[] { "a", "b/" })]
    [TestCase("COPY --from=build /out /app", new string[0])]
    [TestCase("COPY [\"a b\", \"c\", \"/app/\"]", new[] { "a b", "c" })]
    [TestCase("Copy\ta\t/app", new[] { "a" })]
    [TestCase("COPY . .", new string[0])]
    [TestCase("COPY *.csproj $X ./", new string[0])]
    [TestCase("RUN cp a b", new string[0])]
    public void Should_tell_what_a_Dockerfile_copies(string line, string[] sources)
    {
        Assert.That(DockerfileRules.CopySources(line), Is.EqualTo(sources));
    }

    [TestCase("1.22-alpine", "1.23.4", true)]
    [TestCase("1.23", "1.23.4", false)]
    [TestCase("9.0", "10.0.100", true)]
    [TestCase("22-slim", "20", false)]
    [TestCase("latest", "20", false)]
    public void Should_compare_versions_as_far_as_both_say(string tag, string declared, bool isOlder)
    {
        Assert.That(DeclaredToolchain.IsOlder(tag, declared), Is.EqualTo(isOlder));
    }
}
