namespace Conformance;

/// <summary>Objects to test with.</summary>
internal static class Manifests
{
    public static string ConfigMap(string name, params (string Key, string Value)[] data)
        => $"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n" + string.Concat(data.Select(item => $"  {item.Key}: \"{item.Value}\"\n"));

    /// <summary>A Deployment that nothing need ever run.</summary>
    public static string Deployment(string name, string image = "example.invalid/app:1", string more = "", int? replicas = 0) => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {{name}}
        spec:
          {{(replicas is null ? "" : $"replicas: {replicas}")}}
          selector:
            matchLabels: {app: {{name}}}
          template:
            metadata:
              labels: {app: {{name}}}
            spec:
              containers:
              - name: app
                image: {{image}}
                {{more}}
        """;

    /// <summary>A Deployment of a server that runs: it answers on port 6379 and logs that it is ready.</summary>
    public static string Redis(string name, int replicas = 1) => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {{name}}
        spec:
          replicas: {{replicas}}
          selector:
            matchLabels: {app: {{name}}}
          template:
            metadata:
              labels: {app: {{name}}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: redis
                image: {{ClusterUnderTest.Image}}
                command: [redis-server, --save, "", --appendonly, "no", --protected-mode, "no"]
                ports:
                - containerPort: 6379
                readinessProbe:
                  tcpSocket: {port: 6379}
                  periodSeconds: 1
        """;

    public static string Widget(string name, string color)
        => $"apiVersion: conformance.example.com/v1\nkind: Widget\nmetadata:\n  name: {name}\nspec:\n  color: {color}\n";

    public const string WidgetDefinition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: widgets.conformance.example.com
        spec:
          group: conformance.example.com
          scope: Namespaced
          names: {plural: widgets, kind: Widget, shortNames: [wdg]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}}
            additionalPrinterColumns:
            - {name: Size, type: integer, jsonPath: .spec.size}
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    description: What the widget is to be.
                    required: [color]
                    properties:
                      color: {type: string, enum: [red, green]}
                      size: {type: integer, minimum: 1, default: 3}
        """;
}
