using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network.Ingress;

/// <summary>Traefik's Middleware (<c>traefik.io/v1alpha1</c>).</summary>
[KubernetesEntity(Group = "traefik.io", ApiVersion = "v1alpha1", Kind = "Middleware", PluralName = "middlewares")]
internal sealed class TraefikMiddleware : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>On an Ingress: the middlewares that its requests go through, as <c>namespace-name@kubernetescrd</c>, with commas.</summary>
    public const string Annotation = "traefik.ingress.kubernetes.io/router.middlewares";

    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = "traefik.io/v1alpha1";

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "Middleware";

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    public JsonElement Spec { get; set; }

    /// <summary>Its name in the annotation.</summary>
    public string Reference => $"{Metadata.NamespaceProperty}-{Metadata.Name}@kubernetescrd";

    /// <summary>
    /// The definition, after the published one: the fields of the two middlewares that the sandbox carries out, and any for the others.
    /// </summary>
    public static V1CustomResourceDefinition Definition { get; } = KubernetesJson.Deserialize<V1CustomResourceDefinition>("""
        {"metadata": {"name": "middlewares.traefik.io"},
         "spec": {"group": "traefik.io", "scope": "Namespaced",
          "names": {"kind": "Middleware", "listKind": "MiddlewareList", "plural": "middlewares", "singular": "middleware"},
          "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "required": ["metadata", "spec"], "properties": {
           "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
           "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "headers": {"type": "object", "properties": {
             "customRequestHeaders": {"type": "object", "additionalProperties": {"type": "string"}},
             "customResponseHeaders": {"type": "object", "additionalProperties": {"type": "string"}},
             "accessControlAllowCredentials": {"type": "boolean"}, "accessControlAllowHeaders": {"type": "array", "items": {"type": "string"}},
             "accessControlAllowMethods": {"type": "array", "items": {"type": "string"}}, "accessControlAllowOriginList": {"type": "array", "items": {"type": "string"}},
             "accessControlExposeHeaders": {"type": "array", "items": {"type": "string"}}, "accessControlMaxAge": {"type": "integer", "format": "int64"}, "addVaryHeader": {"type": "boolean"},
             "allowedHosts": {"type": "array", "items": {"type": "string"}}, "hostsProxyHeaders": {"type": "array", "items": {"type": "string"}},
             "sslProxyHeaders": {"type": "object", "additionalProperties": {"type": "string"}},
             "stsSeconds": {"type": "integer", "format": "int64", "minimum": 0}, "stsIncludeSubdomains": {"type": "boolean"}, "stsPreload": {"type": "boolean"}, "forceSTSHeader": {"type": "boolean"},
             "frameDeny": {"type": "boolean"}, "customFrameOptionsValue": {"type": "string"}, "contentTypeNosniff": {"type": "boolean"}, "browserXssFilter": {"type": "boolean"},
             "customBrowserXSSValue": {"type": "string"}, "contentSecurityPolicy": {"type": "string"}, "contentSecurityPolicyReportOnly": {"type": "string"},
             "publicKey": {"type": "string"}, "referrerPolicy": {"type": "string"}, "permissionsPolicy": {"type": "string"}, "isDevelopment": {"type": "boolean"}}},
            "rateLimit": {"type": "object", "properties": {
             "average": {"type": "integer", "format": "int64", "minimum": 0}, "burst": {"type": "integer", "format": "int64", "minimum": 0},
             "period": {"x-kubernetes-int-or-string": true},
             "redis": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
             "sourceCriterion": {"type": "object", "properties": {
              "requestHeaderName": {"type": "string"}, "requestHost": {"type": "boolean"},
              "ipStrategy": {"type": "object", "properties": {"depth": {"type": "integer", "minimum": 0}, "excludedIPs": {"type": "array", "items": {"type": "string"}}, "ipv6Subnet": {"type": "integer"}}}}}}}}}}}}}]}}
        """);
}
