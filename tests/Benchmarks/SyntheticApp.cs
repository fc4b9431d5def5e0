namespace Benchmarks;

/// <summary>An app of any size as plain manifests and as a Helm chart: 60% ConfigMaps, 20% Services, 20% Deployments without replicas.</summary>
internal static class SyntheticApp
{
    /// <summary>Writes it.</summary>
    /// <param name="directory">Gets the folders <c>plain</c> and <c>chart</c>.</param>
    /// <param name="count">How many objects.</param>
    public static void Write(string directory, int count)
    {
        var plain = Directory.CreateDirectory(Path.Combine(directory, "plain")).FullName;
        var chart = Directory.CreateDirectory(Path.Combine(directory, "chart", "templates")).FullName;
        File.WriteAllText(Path.Combine(directory, "chart", "Chart.yaml"), "apiVersion: v2\nname: bench\nversion: 0.1.0\n");
        var number = 0;
        foreach (var manifest in Manifests(count))
        {
            File.WriteAllText(Path.Combine(plain, $"{number:0000}.yaml"), manifest);
            File.WriteAllText(Path.Combine(chart, $"{number:0000}.yaml"), manifest);
            number++;
        }
    }

    private static IEnumerable<string> Manifests(int count)
    {
        var maps = count * 6 / 10;
        var services = count * 2 / 10;
        return
        [
            .. Enumerable.Range(0, maps).Select(ConfigMap),
            .. Enumerable.Range(0, services).Select(Service),
            .. Enumerable.Range(0, count - maps - services).Select(Deployment),
        ];
    }

    private static string ConfigMap(int i) =>
        $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cm-{i}, labels: {{app: bench}}}}\ndata:\n  version: \"1\"\n"
        + string.Concat(Enumerable.Range(0, 10).Select(k => $"  key-{k}: \"value {i} {k}\"\n"));

    private static string Service(int i) =>
        $"apiVersion: v1\nkind: Service\nmetadata: {{name: svc-{i}, labels: {{app: bench}}}}\nspec:\n  selector: {{app: d-{i}}}\n"
        + "  ports: [{name: http, port: 80, targetPort: 8000}]\n";

    private static string Deployment(int i) => $$$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: d-{{{i}}}, labels: {app: bench}}
        spec:
          replicas: 0
          selector: {matchLabels: {app: d-{{{i}}}}}
          template:
            metadata: {labels: {app: d-{{{i}}}}, annotations: {version: "1"}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: main
                  image: registry.local/app/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
                  ports: [{containerPort: 8000}]
                  resources: {requests: {cpu: 1m, memory: 4Mi}, limits: {memory: 64Mi}}

        """;
}
