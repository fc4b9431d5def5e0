namespace Cake.K3s.Sandbox.ApiServer.Resources;

/// <summary>An API group, empty for the core group, and a version of it.</summary>
internal readonly record struct GroupVersion(string Group, string Version)
{
    /// <summary>As <c>apiVersion</c> writes it: <c>v1</c> or <c>apps/v1</c>.</summary>
    public override string ToString() => Group.Length == 0 ? Version : $"{Group}/{Version}";

    public static GroupVersion Parse(string apiVersion)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new GroupVersion("", apiVersion) : new GroupVersion(apiVersion[..slash], apiVersion[(slash + 1)..]);
    }
}
