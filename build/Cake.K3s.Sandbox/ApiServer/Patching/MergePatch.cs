using System.Text.Json.Nodes;

namespace Cake.K3s.Sandbox.ApiServer.Patching;

/// <summary>RFC 7386: what is there replaces, null removes.</summary>
internal static class MergePatch
{
    /// <summary>Applies a patch to an object in place.</summary>
    public static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, content) in patch)
        {
            switch (content)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject map when target[name] is JsonObject present:
                    Apply(present, map);
                    break;
                case JsonObject map:
                    var made = new JsonObject();
                    Apply(made, map);
                    target[name] = made;
                    break;
                default:
                    target[name] = content.DeepClone();
                    break;
            }
        }
    }
}
