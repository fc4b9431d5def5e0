using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>
/// Keeps releases in the cluster: for each a Secret with the record, and one or more Secrets with the packed manifests. The
/// manifests are written first and deleted last, so a record always has them. They are Secrets because manifests hold the values
/// of the app's own Secrets.
/// </summary>
internal sealed class ReleaseStore(ClusterApi api, string app)
{
    /// <summary>The type of the Secrets.</summary>
    public const string SecretType = "cake.k3s/release";

    public const string AppLabel = "cake.k3s/app";
    public const string ReleaseLabel = "cake.k3s/release";
    public const string PartLabel = "cake.k3s/part";
    public const string StateLabel = "cake.k3s/state";
    private const string RecordPart = "record";
    private const string DataKey = "release";

    private static readonly GroupVersionKind SecretKind = new("", "v1", "Secret");

    /// <summary>All releases that are kept, the newest first.</summary>
    public async Task<ImmutableArray<Release>> ListAsync(CancellationToken cancellationToken)
    {
        var secrets = await ListAsync($"{AppLabel}={app},{PartLabel}={RecordPart}", cancellationToken);
        return [.. secrets.Select(ReadRecord).OrderByDescending(release => release.Number)];
    }

    /// <summary>Records a new release, whose number must not be taken.</summary>
    /// <returns>The release as it is recorded.</returns>
    /// <exception cref="KubernetesApiException">The number is taken: another run was faster.</exception>
    public async Task<Release> CreateAsync(Release release, IEnumerable<JsonObject> manifests, CancellationToken cancellationToken)
    {
        await DeletePartsAsync(release.Number, cancellationToken);
        var part = 0;
        foreach (var bytes in ReleaseContent.Pack(manifests))
        {
            part++;
            await api.CreateAsync(Secret(release, part.ToString(CultureInfo.InvariantCulture), bytes), cancellationToken);
        }

        var written = await api.CreateAsync(Record(release with { ResourceVersion = null }), cancellationToken);
        return release with { ResourceVersion = written.ResourceVersion() };
    }

    /// <summary>Writes a release's record anew.</summary>
    /// <returns>The release as it is recorded.</returns>
    /// <exception cref="K3sException">Another run has written or deleted the record since it was read.</exception>
    public async Task<Release> UpdateAsync(Release release, CancellationToken cancellationToken)
    {
        try
        {
            var written = await api.ReplaceAsync(Record(release), cancellationToken);
            return release with { ResourceVersion = written.ResourceVersion() };
        }
        catch (KubernetesApiException e) when (e.IsConflict || e.IsNotFound)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{release} was not noted as {release.State}: another run has changed its record meanwhile",
                "look at --target=History and --target=Status, then deploy again",
                innerException: e);
        }
    }

    /// <summary>The manifests of a release.</summary>
    /// <exception cref="K3sException">Parts of it are missing or damaged.</exception>
    public async Task<ImmutableArray<JsonObject>> ReadManifestsAsync(Release release, CancellationToken cancellationToken)
    {
        var parts = (await ListAsync($"{AppLabel}={app},{ReleaseLabel}={release.Number},{PartLabel}!={RecordPart}", cancellationToken))
            .OrderBy(part => int.Parse(part.Label(PartLabel)!, CultureInfo.InvariantCulture));
        try
        {
            return ReleaseContent.Unpack(parts.Select(Data));
        }
        catch (InvalidDataException e)
        {
            throw new K3sException(
                ExitCodes.Failed, $"the manifests of {release} cannot be read: {e.Message}", "roll back to another release; History lists them", innerException: e);
        }
    }

    /// <summary>Deletes all but the newest; the newest verified one is kept whatever its age, as it is what a failure falls back on.</summary>
    /// <returns>The numbers that were deleted.</returns>
    public async Task<ImmutableArray<int>> PruneAsync(int keep, CancellationToken cancellationToken)
    {
        var releases = await ListAsync(cancellationToken);
        var lastGood = releases.FirstOrDefault(release => release.State == ReleaseState.Verified);
        var old = releases.Skip(Math.Max(1, keep)).Where(release => release != lastGood).ToImmutableArray();
        foreach (var release in old)
        {
            await api.DeleteAsync(Key(release.Number, RecordPart), cancellationToken);
            await DeletePartsAsync(release.Number, cancellationToken);
        }

        return [.. old.Select(release => release.Number)];
    }

    private async Task DeletePartsAsync(int number, CancellationToken cancellationToken)
    {
        foreach (var part in await ListAsync($"{AppLabel}={app},{ReleaseLabel}={number},{PartLabel}!={RecordPart}", cancellationToken))
        {
            await api.DeleteAsync(ObjectKey.Of(part), cancellationToken);
        }
    }

    private async Task<IReadOnlyList<JsonObject>> ListAsync(string selector, CancellationToken cancellationToken) =>
        (await api.ListAsync(SecretKind, api.Namespace, new ListOptions { LabelSelector = selector }, cancellationToken)).Items;

    private ObjectKey Key(int number, string part) => new(SecretKind, api.Namespace, $"cake-k3s.{app}.v{number}.{part}");

    private JsonObject Record(Release release)
    {
        var secret = Secret(release, RecordPart, JsonSerializer.SerializeToUtf8Bytes(release, ReleaseJson.Default.Release));
        if (release.ResourceVersion is { } version)
        {
            secret["metadata"]!["resourceVersion"] = version;
        }

        return secret;
    }

    private JsonObject Secret(Release release, string part, byte[] data)
    {
        var labels = new JsonObject
        {
            [AppLabel] = app,
            [ReleaseLabel] = release.Number.ToString(CultureInfo.InvariantCulture),
            [PartLabel] = part,
        };
        if (part == RecordPart)
        {
            labels[StateLabel] = release.State.ToString();
        }

        var key = Key(release.Number, part);
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace, ["labels"] = labels },
            ["type"] = SecretType,
            ["data"] = new JsonObject { [DataKey] = Convert.ToBase64String(data) },
        };
    }

    private static byte[] Data(JsonObject secret) => Convert.FromBase64String(secret.Text("data", DataKey) ?? "");

    private static Release ReadRecord(JsonObject secret)
    {
        try
        {
            var release = JsonSerializer.Deserialize(Data(secret), ReleaseJson.Default.Release) ?? throw new JsonException("it is empty");
            return release with { ResourceVersion = secret.ResourceVersion() };
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new K3sException(
                ExitCodes.Failed, $"the release record in Secret/{secret.ObjectName()} cannot be read: {e.Message}",
                $"delete it: kubectl -n {secret.NamespaceName()} delete secret {secret.ObjectName()}", innerException: e);
        }
    }
}
