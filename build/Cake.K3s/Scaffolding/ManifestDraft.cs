using System.Globalization;
using System.Text;

namespace Cake.K3s.Scaffolding;

/// <summary>Manifests for an app that has none: what its Dockerfiles tell, and what the lint asks for.</summary>
internal static class ManifestDraft
{
    /// <summary>The variable that the Ingress' host comes from.</summary>
    public const string HostVariable = "HOST";

    /// <summary>Whether an image of the app serves a port.</summary>
    public static bool HasIngress(AppSurvey app) => app.Images.Values.Any(image => image.Dockerfile.Port is not null);

    /// <summary>The files, by path relative to the app's directory.</summary>
    public static IReadOnlyDictionary<string, string> Write(AppSurvey app)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["manifests/app/namespace.yaml"] = """
                apiVersion: v1
                kind: Namespace
                metadata:
                  name: ${NAMESPACE}

                """.ReplaceLineEndings("\n"),
        };
        foreach (var (name, image) in app.Images)
        {
            files[$"manifests/app/{name}.yaml"] = Workload(name, image.Dockerfile);
        }

        if (app.Images.FirstOrDefault(image => image.Value.Dockerfile.Port is not null).Key is { } served)
        {
            files["manifests/app/ingress.yaml"] = Ingress(app.Name, served);
        }

        return files;
    }

    private static string Workload(string name, Dockerfile dockerfile)
    {
        var text = new StringBuilder(Invariant($$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: {{name}}
              labels: {app.kubernetes.io/name: {{name}}}
            spec:
              replicas: 1
              selector:
                matchLabels: {app.kubernetes.io/name: {{name}}}
              strategy:
                rollingUpdate: {{{(dockerfile.Port is null ? "maxSurge: 0, maxUnavailable: 1" : "maxSurge: 1, maxUnavailable: 0")}}}
              template:
                metadata:
                  labels: {app.kubernetes.io/name: {{name}}}
                spec:
                  automountServiceAccountToken: false

            """));
        text.Append(PodSecurity(dockerfile.User));
        text.Append(Invariant($$"""
                  containers:
                    - name: {{name}}
                      image: {{name}}

            """));
        if (dockerfile.Port is { } port)
        {
            // Whether it answers on its port is all that is known; a path of the app that says more is better.
            text.Append(Invariant($$"""
                          ports:
                            - {name: http, containerPort: {{port}}}
                          startupProbe:
                            tcpSocket: {port: http}
                            periodSeconds: 1
                            failureThreshold: 60
                          # Better: httpGet: {path: /health, port: http}, with a path that fails until the app can serve.
                          readinessProbe:
                            tcpSocket: {port: http}
                            periodSeconds: 5

                """));
        }

        text.Append("""
                      resources:
                        requests: {cpu: 50m, memory: 64Mi}
                        limits: {memory: 256Mi}
                      securityContext:
                        allowPrivilegeEscalation: false
                        capabilities: {drop: [ALL]}

            """.ReplaceLineEndings("\n"));
        if (dockerfile.Port is { } served)
        {
            text.Append(Invariant($$"""
                ---
                apiVersion: v1
                kind: Service
                metadata:
                  name: {{name}}
                spec:
                  selector: {app.kubernetes.io/name: {{name}}}
                  ports:
                    - {name: http, port: {{served}}, targetPort: http}

                """));
        }

        return text.ToString();
    }

    // The kubelet knows a user that is not root only by its number.
    private static string PodSecurity(string? user) => user switch
    {
        not (null or "root" or "0") when user.All(char.IsAsciiDigit) => Invariant($$"""
                  securityContext:
                    runAsNonRoot: true
                    runAsUser: {{user}}
                    seccompProfile: {type: RuntimeDefault}

            """),
        not (null or "root" or "0") => Invariant($$"""
                  securityContext:
                    # The image runs as {{user}}. With its number as runAsUser, add runAsNonRoot: true.
                    seccompProfile: {type: RuntimeDefault}

            """),
        _ => """
                  securityContext:
                    # The image runs as root. Give its Dockerfile a USER with a number, then add runAsNonRoot: true.
                    seccompProfile: {type: RuntimeDefault}

            """.ReplaceLineEndings("\n"),
    };

    private static string Ingress(string app, string service) => Invariant($$"""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: {{app}}
        spec:
          rules:
            - host: ${{{HostVariable}}}
              http:
                paths:
                  - path: /
                    pathType: Prefix
                    backend:
                      service: {name: {{service}}, port: { name: http } }

        """);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture).ReplaceLineEndings("\n");
}
