using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>A type of the Kubernetes API.</summary>
/// <param name="Group">The API group, e.g. <c>apps</c>; empty for the core group.</param>
/// <param name="Version">The version, e.g. <c>v1</c>.</param>
/// <param name="Kind">The kind, e.g. <c>Deployment</c>.</param>
public sealed record GroupVersionKind(string Group, string Version, string Kind)
{
    /// <summary>As manifests write it: <c>apps/v1</c>, or <c>v1</c> for the core group.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Reads a manifest's <c>apiVersion</c> and <c>kind</c>.</summary>
    public static GroupVersionKind Of(string apiVersion, string kind)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new("", apiVersion, kind) : new(apiVersion[..slash], apiVersion[(slash + 1)..], kind);
    }

    /// <summary>The type of an object that says both <c>apiVersion</c> and <c>kind</c>.</summary>
    public static GroupVersionKind Of(JsonObject node) =>
        Of(node.Text("apiVersion") ?? "", node.Text("kind") ?? "");

    /// <summary>E.g. <c>Deployment (apps/v1)</c>.</summary>
    public override string ToString() => $"{Kind} ({ApiVersion})";
}
