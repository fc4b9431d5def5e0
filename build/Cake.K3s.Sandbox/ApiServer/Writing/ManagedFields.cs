using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>The list in an object's metadata that says which manager owns which fields.</summary>
internal static class ManagedFields
{
    /// <summary>Whether two lists say the same but for when.</summary>
    public static bool SameButTimes(JsonArray? left, JsonArray? right)
    {
        if ((left?.Count ?? 0) != (right?.Count ?? 0))
        {
            return false;
        }

        for (var at = 0; at < (left?.Count ?? 0); at++)
        {
            if (left![at] is not JsonObject one || right![at] is not JsonObject other)
            {
                return false;
            }

            foreach (var field in one.Select(pair => pair.Key).Union(other.Select(pair => pair.Key)))
            {
                if (field != "time" && !one[field].SameAs(other[field]))
                {
                    return false;
                }
            }
        }

        return true;
    }
}
