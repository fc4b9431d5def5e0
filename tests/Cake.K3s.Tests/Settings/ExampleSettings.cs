namespace Cake.K3s.Tests.Settings;

/// <summary>A deploy.yaml that uses every key.</summary>
internal static class ExampleSettings
{
    public const string Text = """
        # An app
        app: honeydue
        defaultEnvironment: sandbox
        images:
          api:
            context: src/api
            dockerfile: Dockerfile.api
            target: final
            arguments: {BASE: "debian:13", PORT: 8000}
            prepare: dotnet publish -o out
            sources: ["**/*.cs", ../shared/*.cs]
          admin:
            context: src/admin
        manifests: [manifests/app]
        checks:
          lint:
            - dotnet format --verify-no-changes
          test:
            - run: dotnet test tests
              sources: [src/**, tests/**]
        migration:
          job: migrate.yaml
          timeout: 15m
        signing:
          privateKey: env://COSIGN_PRIVATE_KEY
          publicKey: keys/cosign.pub
          password: {variable: COSIGN_PASSWORD}
        rollout:
          keep: 10
          deadline: 2m30s
          rollBack: false
        environments:
          sandbox:
            sandbox:
              ingressPort: 8080
              apiPort: 0
              registryPort: 5000
            arguments:
              api: {BASE: "sandbox://base"}
            secrets:
              DATABASE_URL: {sandbox: postgres}
          production:
            cluster:
              kubeconfig: ~/.kube/config
              context: prod
            registry:
              address: gitea.example.com:3000/me/honeydue
              insecure: true
            namespace: honeydue-prod
            manifests: [manifests/app, manifests/prod]
            variables:
              API_HOST: api.example.com
              REPLICAS: 3
            secrets:
              DATABASE_URL: {file: /run/secrets/database-url}
              SMTP_PASSWORD:
                command: pass show smtp
            nodes:
              - {name: node-1, host: 192.0.2.1, port: 2222, user: admin}
              - {name: node-2, host: node-2, addresses: [192.0.2.2, 10.0.0.3]}
            hardening:
              operators: [198.51.100.7, "2001:db8::/48"]
              sshPort: 2222
              sshForwarding: false
              sshConfig: ssh/config
              undoAfter: 90s
              podRange: 10.52.0.0/16
              serviceRange: 10.53.0.0/16
            edge:
              cloudflareZone: example.com
              cloudflareToken: {variable: CLOUDFLARE_TOKEN}
        """;
}
