using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>Something that a watch saw.</summary>
/// <param name="Type">What happened.</param>
/// <param name="Object">The object as it is now, or as it was last seen if it is gone; null for <see cref="WatchEventType.Synced"/>.</param>
public sealed record WatchEvent(WatchEventType Type, JsonObject? Object);

/// <summary>What a watch saw happen.</summary>
public enum WatchEventType
{
    /// <summary>The object is new to the watch.</summary>
    Added,

    /// <summary>The object changed.</summary>
    Modified,

    /// <summary>The object is gone.</summary>
    Deleted,

    /// <summary>All objects that existed when the watch began have been reported. Comes once.</summary>
    Synced,
}
