using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>What a deploy would change in the cluster.</summary>
/// <param name="Set">The app's objects in the cluster.</param>
/// <param name="Objects">Every object of the manifests, in the order in which they are applied.</param>
/// <param name="Prunes">The objects of earlier deploys that are no longer in the manifests and would be deleted.</param>
/// <param name="Kept">Such objects that stay, because deleting them would delete data; a person decides.</param>
/// <param name="Force">Whether fields that others own are taken over.</param>
public sealed record DeployPlan(
    ApplySet Set,
    ImmutableArray<PlannedObject> Objects,
    ImmutableArray<JsonObject> Prunes,
    ImmutableArray<JsonObject> Kept,
    bool Force)
{
    /// <summary>Whether nothing would change.</summary>
    public bool IsEmpty => Prunes.IsEmpty && Objects.All(planned => planned.Change == PlannedChange.None);

    /// <summary>What keeps the plan from being applied.</summary>
    public IEnumerable<PlannedObject> Refused => Objects.Where(planned => planned.Refusal is not null);

    /// <summary>Refuses a plan that the cluster would refuse.</summary>
    /// <exception cref="K3sException">It would; each object and field is named.</exception>
    internal void ThrowIfRefused()
    {
        var refused = Refused.ToList();
        if (refused.Count > 0)
        {
            throw ApplyRefusal.Of([.. refused.Select(item => (item.Manifest, item.Key, item.Refusal!))], nothingChanged: true);
        }
    }

    /// <summary>The images that change.</summary>
    public IEnumerable<ImageChange> ImageChanges => Objects.SelectMany(ImageChange.Of)
        .Select(change => change with { CommitBefore = CommitOf(change.Before), CommitAfter = CommitOf(change.After) });

    /// <summary>The commits that images were built from, by reference; those that are not known are left out.</summary>
    internal ImmutableDictionary<string, string> Commits { get; init; } = ImmutableDictionary<string, string>.Empty;

    private string? CommitOf(string? image) => image is null ? null : Commits.GetValueOrDefault(image);

    /// <summary>What the parent says before the deploy.</summary>
    internal ApplySetContents Recorded { get; init; } = new([], []);
}

/// <summary>What becomes of an object.</summary>
public enum PlannedChange
{
    /// <summary>It is as it should be, and not touched.</summary>
    None,

    /// <summary>It is made.</summary>
    Create,

    /// <summary>It is changed.</summary>
    Update,

    /// <summary>
    /// It is deleted and made anew, as its annotation <c>cake-k3s/replace: "true"</c> allows; or it is being deleted already, and is
    /// made anew once it is gone.
    /// </summary>
    Replace,
}

/// <summary>One object of a plan.</summary>
public sealed record PlannedObject
{
    internal PlannedObject(DesiredObject desired)
    {
        Desired = desired;
    }

    /// <summary>The object's type, namespace and name.</summary>
    public ObjectKey Key => Desired.Key;

    /// <summary>The manifest that it comes from.</summary>
    public Manifest Manifest => Desired.Manifest;

    /// <summary>When it is applied.</summary>
    public Wave Wave => Waves.Of(Key.Type);

    /// <summary>What becomes of it.</summary>
    public PlannedChange Change { get; init; }

    /// <summary>The object now; null if it is not there, or if it is unchanged and the plan is only to be applied.</summary>
    public JsonObject? Live { get; init; }

    /// <summary>The object afterwards, as the API itself foretold it; as it is in the manifest where the API could not be asked yet.</summary>
    public JsonObject? Foretold { get; init; }

    /// <summary>Why the API refuses it; null if it does not.</summary>
    public KubernetesApiException? Refusal { get; init; }

    /// <summary>What is sent.</summary>
    internal DesiredObject Desired { get; }

    /// <summary>The fields that change.</summary>
    public IEnumerable<FieldChange> Fields => Change == PlannedChange.None ? [] : FieldDiff.Between(Live, Foretold);
}

/// <summary>An image that a container runs from.</summary>
/// <param name="Owner">The object.</param>
/// <param name="Container">The container.</param>
/// <param name="Before">The image now; null for a new container.</param>
/// <param name="After">The image afterwards; null for a container that goes.</param>
public sealed record ImageChange(ObjectKey Owner, string Container, string? Before, string? After)
{
    /// <summary>The commit that the image of now was built from, with <c>+changes</c> where files differed from it; null if that is not known.</summary>
    public string? CommitBefore { get; init; }

    /// <summary>The same for the image afterwards.</summary>
    public string? CommitAfter { get; init; }

    /// <summary><c>commit 0123456789ab → ba9876543210</c>; null where neither is known.</summary>
    internal string? Commits => (CommitBefore, CommitAfter) is (null, null)
        ? null
        : $"commit {Short(CommitBefore)} → {Short(CommitAfter)}";

    private static string Short(string? commit) => commit is null ? "unknown" : commit.Length > 40 ? commit[..12] + commit[40..] : commit.Length == 40 ? commit[..12] : commit;

    internal static IEnumerable<ImageChange> Of(PlannedObject planned)
    {
        if (planned.Change == PlannedChange.None)
        {
            return [];
        }

        var before = Images(planned.Live);
        var after = Images(planned.Foretold);
        return before.Keys.Union(after.Keys)
            .Select(name => new ImageChange(planned.Key, name, before.GetValueOrDefault(name), after.GetValueOrDefault(name)))
            .Where(change => change.Before != change.After);
    }

    private static Dictionary<string, string> Images(JsonObject? node)
    {
        var images = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var container in node is null ? [] : PodSpecs.Containers(PodSpecs.TemplateOf(node)?["spec"]))
        {
            images[container.Text("name") ?? ""] = container.Text("image") ?? "";
        }

        return images;
    }
}
