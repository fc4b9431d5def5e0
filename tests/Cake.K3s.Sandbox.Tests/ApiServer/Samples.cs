namespace Cake.K3s.Sandbox.Tests.ApiServer;

/// <summary>Objects to test with.</summary>
internal static class Samples
{
    public const string ConfigMaps = "/api/v1/namespaces/default/configmaps";
    public const string Deployments = "/apis/apps/v1/namespaces/default/deployments";
    public const string Pods = "/api/v1/namespaces/default/pods";
    public const string Services = "/api/v1/namespaces/default/services";

    public static string ConfigMap(string name, string data = """{"a":"1"}""", string metadata = "")
        => $$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{name}}" {{metadata}} },"data":{{data}}}""";

    public static string Deployment(string name, string image = "nginx:1", string spec = "", string container = "")
        => $$$"""
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"{{{name}}}"},"spec":{"selector":{"matchLabels":{"app":"web"}}, {{{spec}}}
        "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[ {"name":"web","image":"{{{image}}}" {{{container}}} } ] } } } }
        """;

    public static string Pod(string name, string spec = "", string metadata = "")
        => $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}" {{{metadata}}} },"spec":{ {{{spec}}} "containers":[{"name":"main","image":"busybox:1"}]}}""";
}
