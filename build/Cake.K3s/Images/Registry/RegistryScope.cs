namespace Cake.K3s.Images.Registry;

/// <summary>What a token must allow (distribution spec, auth/scope).</summary>
internal static class RegistryScope
{
    public static string Pull(string repository) => $"repository:{repository}:pull";

    public static string Push(string repository) => $"repository:{repository}:pull,push";

    public static string Delete(string repository) => $"repository:{repository}:delete,pull";
}
