using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;

namespace Cake.K3s.Hardening.Cluster.Objects;

/// <summary>What was before a control: all that taking it back needs.</summary>
/// <param name="IsComplete">Whether the last change went through to its end.</param>
/// <param name="Objects">The objects that the control touches, in the order in which it came to them.</param>
/// <param name="Settings">Former settings outside of the cluster, by a name that the control gives them; null for one that was not set.</param>
internal sealed record ControlJournal(
    bool IsComplete, ImmutableArray<JournaledObject> Objects, ImmutableSortedDictionary<string, string?> Settings)
{
    /// <summary>Before the first change.</summary>
    public static ControlJournal Empty { get; } = new(false, [], ImmutableSortedDictionary<string, string?>.Empty);

    /// <summary>The entry of an object; null if the control has not come to it.</summary>
    public JournaledObject? Find(ObjectKey key) => Objects.FirstOrDefault(entry => entry.Key.Identity == key.Identity);
}

/// <summary>What an object was like before a control.</summary>
/// <param name="ApiVersion">Its group and version.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Namespace">Its namespace; null for an object of the whole cluster.</param>
/// <param name="Name">Its name.</param>
/// <param name="Former">The values that the control took the place of, as an object to apply; null if the object was not there.</param>
internal sealed record JournaledObject(string ApiVersion, string Kind, string? Namespace, string Name, JsonObject? Former)
{
    /// <summary>Names the object.</summary>
    [JsonIgnore]
    public ObjectKey Key => new(GroupVersionKind.Of(ApiVersion, Kind), Namespace, Name);
}

/// <summary>
/// Keeps the journal of one control in the app's namespace, where every machine that hardens finds it. It is a Secret because
/// former values may be secrets.
/// </summary>
internal sealed class ControlJournals(ClusterApi api, string app, string control)
{
    private const string SecretType = "cake.k3s/journal";
    private const string ControlLabel = "cake.k3s/control";
    private const string DataKey = "journal";

    private ObjectKey Key => new(new("", "v1", "Secret"), api.Namespace, $"cake-k3s-journal-{app}-{control.ToLowerInvariant()}");

    /// <summary>Reads it; null if the control was never applied, or was taken back.</summary>
    /// <exception cref="K3sException">It cannot be read.</exception>
    public async Task<ControlJournal?> ReadAsync(CancellationToken cancellationToken)
    {
        if (await api.GetAsync(Key, cancellationToken) is not { } secret)
        {
            return null;
        }

        try
        {
            var journal = JsonSerializer.Deserialize(Convert.FromBase64String(secret.Text("data", DataKey) ?? ""), JournalJson.Default.ControlJournal);
            return journal ?? throw new JsonException("it is empty");
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"the journal of {control} in Secret/{Key.Name} cannot be read: {e.Message}",
                $"without it nothing can be taken back: put back by hand what {control} changed, then kubectl -n {Key.Namespace} delete secret {Key.Name}",
                innerException: e);
        }
    }

    /// <summary>Writes it. Called before each change that it is about.</summary>
    public async Task WriteAsync(ControlJournal journal, CancellationToken cancellationToken) => await api.ApplyAsync(
        new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject
            {
                ["name"] = Key.Name,
                ["namespace"] = Key.Namespace,
                ["labels"] = new JsonObject { [ReleaseStore.AppLabel] = app, [ControlLabel] = control },
            },
            ["type"] = SecretType,
            ["data"] = new JsonObject
            {
                [DataKey] = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(journal, JournalJson.Default.ControlJournal)),
            },
        },
        cancellationToken,
        new() { Force = true });

    /// <summary>Deletes it: nothing is left to take back.</summary>
    public Task DeleteAsync(CancellationToken cancellationToken) => api.DeleteAsync(Key, cancellationToken);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ControlJournal))]
internal sealed partial class JournalJson : JsonSerializerContext;
