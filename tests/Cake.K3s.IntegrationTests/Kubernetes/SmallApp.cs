using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>A small app with an object for each wave, a migration, and something that only its first version has.</summary>
[SupportedOSPlatform("linux")]
internal static class SmallApp
{
    public const string Migration = "migrate.yaml";

    /// <summary>The files of a version.</summary>
    public static IReadOnlyDictionary<string, string> Files(string namespaceName, int version) => new Dictionary<string, string>
    {
        ["namespace.yaml"] = $$$$$"""
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{{{{namespaceName}}}}}}
            """,
        ["settings.yaml"] = $$$$$"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {VERSION: "{{{{{version}}}}}"}
            """,
        [version == 1 ? "old.yaml" : "new.yaml"] = version == 1
            ? "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: old}\n"
            : "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\n",
        ["web.yaml"] = $$$$$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
              annotations: {cake.k3s/settle: 0s}
            spec:
              replicas: 1
              selector: {matchLabels: {app: web}}
              template:
                metadata:
                  labels: {app: web}
                  annotations: {version: "{{{{{version}}}}}"}
                spec:
                  automountServiceAccountToken: false
                  terminationGracePeriodSeconds: 0
                  securityContext: {runAsNonRoot: true, runAsUser: 1000}
                  containers:
                    - name: web
                      image: {{{{{SharedSandbox.ShellReference()}}}}}
                      command: [/bin/sleep, "3600"]
                      ports: [{name: http, containerPort: 8080}]
                      readinessProbe: {exec: {command: [/bin/true]}, periodSeconds: 1}
                      resources: {requests: {cpu: 1m, memory: 4Mi}, limits: {memory: 32Mi}}
                      securityContext: {allowPrivilegeEscalation: false}
            """,
        ["service.yaml"] = $$$$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: web, annotations: {version: "{{{{{version}}}}}"}}
            spec:
              selector: {app: web}
              ports: [{name: http, port: 80, targetPort: http}]
            """,
        ["ingress.yaml"] = $$$$$"""
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: web, annotations: {version: "{{{{{version}}}}}"}}
            spec:
              rules:
                - host: {{{{{namespaceName}}}}}.localhost
                  http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
            """,
        [Migration] = $$$$$"""
            apiVersion: batch/v1
            kind: Job
            metadata: {name: migrate}
            spec:
              backoffLimit: 0
              template:
                spec:
                  restartPolicy: Never
                  automountServiceAccountToken: false
                  securityContext: {runAsNonRoot: true, runAsUser: 1000}
                  containers:
                    - name: migrate
                      image: {{{{{SharedSandbox.ShellReference()}}}}}
                      command: [/bin/sh, -c, "echo schema version: $VERSION"]
                      envFrom: [{configMapRef: {name: settings}}]
                      resources: {requests: {cpu: 1m, memory: 4Mi}, limits: {memory: 32Mi}}
                      securityContext: {allowPrivilegeEscalation: false}
            """,
    };

    /// <summary>The objects of a version, and its migration.</summary>
    public static (IEnumerable<JsonObject> Objects, JsonObject Migration) Nodes(string namespaceName, int version)
    {
        var files = Files(namespaceName, version).ToLookup(file => file.Key == Migration, file => Read(file.Key, file.Value));
        return (files[false], files[true].Single());
    }

    private static JsonObject Read(string file, string text) => YamlReader.Read(text, new SourceMap(file)).Single().AsObject();
}
