using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Planning;

namespace Cake.K3s.Hardening.Cluster.Objects;

/// <summary>
/// The objects, and the single fields of others' objects, that one control keeps in the cluster. They are applied server-side under
/// a field manager of the control's own, so that a deploy neither takes them away nor is refused because of them. What was before
/// goes into the journal first, so that whatever an apply is interrupted by, the same apply finishes it and an undo takes it back.
/// </summary>
internal sealed class ControlledObjects(ClusterApi api, string app, string control, TimeProvider time)
{
    // Helm uninstalls a chart before it goes, and a namespace goes after all that is in it.
    private static readonly TimeSpan GoneLimit = TimeSpan.FromMinutes(5);
    private const int Attempts = 20;

    private readonly ControlJournals _journals = new(api, app, control);

    /// <summary>The name under which the control owns fields.</summary>
    public string FieldManager => FieldManagerOf(control);

    /// <summary>The name under which a control owns fields.</summary>
    public static string FieldManagerOf(string control) => $"{WriteOptions.DefaultFieldManager}-{control.ToLowerInvariant()}";

    /// <summary>The journal; null if the control was never applied, or was taken back.</summary>
    public Task<ControlJournal?> JournalAsync(CancellationToken cancellationToken) => _journals.ReadAsync(cancellationToken);

    /// <summary>How each object stands.</summary>
    /// <param name="desired">The objects, or the parts of them, that should be.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ImmutableArray<Finding>> AuditAsync(IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var journal = await _journals.ReadAsync(cancellationToken);
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var node in desired)
        {
            findings.Add(Judge(await CompareAsync(node, cancellationToken), journal));
        }

        findings.AddRange(Retired(journal, desired).Select(entry => new Finding(
            control, Target(entry.Key), ControlState.Drifted, $"{entry.Key} is from an earlier apply and no longer wanted", [])));
        return findings.ToImmutable();
    }

    /// <summary>What applying would change now.</summary>
    /// <param name="desired">The objects, or the parts of them, that should be.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        foreach (var node in desired)
        {
            var comparison = await CompareAsync(node, cancellationToken);
            if (!comparison.IsAsDesired)
            {
                changes.Add(comparison.Change);
            }
        }

        changes.AddRange(Retired(await _journals.ReadAsync(cancellationToken), desired)
            .Select(entry => new PlannedChange(Target(entry.Key), $"take {entry.Key} back: it is no longer wanted")));
        return changes.ToImmutable();
    }

    /// <summary>
    /// Applies objects in their order, and takes back those of an earlier apply that are no longer wanted.
    /// </summary>
    /// <param name="desired">All objects, or the parts of them, that should be.</param>
    /// <param name="cancellationToken">Ends it between two objects.</param>
    /// <returns>What was changed.</returns>
    /// <exception cref="K3sException">The cluster does not know a type, or refuses an object.</exception>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var changes = await ApplyStageAsync(desired, cancellationToken);
        return changes.AddRange(await FinishAsync(desired, cancellationToken));
    }

    /// <summary>Applies some of the objects in their order; <see cref="FinishAsync"/> follows after the last of them.</summary>
    /// <param name="desired">The objects of this stage.</param>
    /// <param name="cancellationToken">Ends it between two objects.</param>
    /// <returns>What was changed.</returns>
    public async Task<ImmutableArray<PlannedChange>> ApplyStageAsync(IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        foreach (var node in desired)
        {
            await api.ResourceAsync(GroupVersionKind.Of(node), cancellationToken);
            var comparison = await CompareAsync(node, cancellationToken);
            if (IsGoing(comparison.Live))
            {
                // Of an undo that was cut off: what is applied to it now would go with it.
                await UntilGoneAsync(comparison.Key, cancellationToken);
                comparison = await CompareAsync(node, cancellationToken);
            }

            if (comparison.IsAsDesired)
            {
                continue;
            }

            await RememberAsync(comparison, cancellationToken);
            await api.ApplyAsync(node, cancellationToken, new() { FieldManager = FieldManager, Force = true });
            changes.Add(comparison.Change);
        }

        return changes.ToImmutable();
    }

    /// <summary>Takes back what is no longer wanted, and marks the apply as finished.</summary>
    /// <param name="desired">All objects, or the parts of them, that should be.</param>
    /// <param name="cancellationToken">Ends it between two objects.</param>
    /// <returns>What was changed.</returns>
    public async Task<ImmutableArray<PlannedChange>> FinishAsync(IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        if (await _journals.ReadAsync(cancellationToken) is not { } journal)
        {
            return [];
        }

        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        var retired = Retired(journal, desired).Reverse().ToList();
        foreach (var entry in retired)
        {
            changes.AddRange(await RestoreAsync(entry, cancellationToken));
        }

        if (retired.Count > 0 || !journal.IsComplete)
        {
            await _journals.WriteAsync(journal with { IsComplete = true, Objects = journal.Objects.RemoveRange(retired) }, cancellationToken);
        }

        return changes.ToImmutable();
    }

    /// <summary>Keeps former settings outside of the cluster for an undo; those that are kept already stay as they are.</summary>
    /// <param name="settings">The settings as they are before a change.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RememberAsync(IEnumerable<KeyValuePair<string, string?>> settings, CancellationToken cancellationToken)
    {
        var journal = await _journals.ReadAsync(cancellationToken) ?? ControlJournal.Empty;
        var unknown = settings.Where(setting => !journal.Settings.ContainsKey(setting.Key)).ToList();
        if (unknown.Count > 0 || journal.IsComplete)
        {
            await _journals.WriteAsync(journal with { IsComplete = false, Settings = journal.Settings.AddRange(unknown) }, cancellationToken);
        }
    }

    /// <summary>Brings back what was before the first apply, the last object first; the journal goes at the end.</summary>
    /// <returns>What was changed.</returns>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var changes = await RestoreAsync(_ => true, cancellationToken);
        await _journals.DeleteAsync(cancellationToken);
        return changes;
    }

    /// <summary>Brings back some of the objects, the last one first. The journal stays: <see cref="UndoAsync"/> follows.</summary>
    /// <param name="which">Which of them.</param>
    /// <param name="cancellationToken">Ends it between two objects.</param>
    /// <returns>What was changed.</returns>
    public async Task<ImmutableArray<PlannedChange>> RestoreAsync(Func<ObjectKey, bool> which, CancellationToken cancellationToken)
    {
        var journal = await _journals.ReadAsync(cancellationToken);
        if (journal is { IsComplete: true })
        {
            await _journals.WriteAsync(journal with { IsComplete = false }, cancellationToken);
        }

        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        foreach (var entry in (journal?.Objects ?? []).Reverse().Where(entry => which(entry.Key)))
        {
            changes.AddRange(await RestoreAsync(entry, cancellationToken));
        }

        return changes.ToImmutable();
    }

    private static string Target(ObjectKey key) => key.Namespace is { } ns ? $"{ns}/{key.Name}" : key.Name;

    private static IEnumerable<JournaledObject> Retired(ControlJournal? journal, IReadOnlyList<JsonObject> desired)
    {
        var wanted = desired.Select(node => ObjectKey.Of(node).Identity).ToHashSet();
        return (journal?.Objects ?? []).Where(entry => !wanted.Contains(entry.Key.Identity));
    }

    private async Task RememberAsync(Comparison comparison, CancellationToken cancellationToken)
    {
        var journal = await _journals.ReadAsync(cancellationToken) ?? ControlJournal.Empty;
        var (key, live) = (comparison.Key, comparison.Live);
        if (journal.Find(key) is null)
        {
            var former = live is null ? null : FormerValues.Of(live, comparison.Desired);
            journal = journal with { Objects = journal.Objects.Add(new(key.Type.ApiVersion, key.Type.Kind, key.Namespace, key.Name, former)) };
        }
        else if (!journal.IsComplete)
        {
            return;
        }

        await _journals.WriteAsync(journal with { IsComplete = false }, cancellationToken);
    }

    private async Task<ImmutableArray<PlannedChange>> RestoreAsync(JournaledObject entry, CancellationToken cancellationToken)
    {
        // Without its type there is no object either.
        if (await api.FindResourceAsync(entry.Key.Type, cancellationToken) is null
            || await api.GetAsync(entry.Key, cancellationToken) is not { } live
            || !FieldOwnership.Applied(live, FieldManager))
        {
            return [];
        }

        if (entry.Former is not { } former)
        {
            await api.DeleteAsync(entry.Key, cancellationToken, new() { Uid = live.Uid() });
            await UntilGoneAsync(entry.Key, cancellationToken);
            return [new(Target(entry.Key), $"{entry.Key} deleted: it was not there before")];
        }

        var (restored, _) = await api.ApplyAsync(former.DeepClone().AsObject(), cancellationToken, new() { FieldManager = FieldManager, Force = true });
        var difference = Difference(entry.Key, live, restored);
        await LeaveAsync(entry.Key, restored, cancellationToken);
        return [new(Target(entry.Key), $"{entry.Key} as it was before", difference)];
    }

    private static bool IsGoing(JsonObject? live) => live.Text("metadata", "deletionTimestamp") is not null;

    /// <summary>Waits until an object that was deleted is gone, which takes as long as somebody's finalizer holds it.</summary>
    private async Task UntilGoneAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(GoneLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            if (!IsGoing(await api.GetAsync(key, either.Token)))
            {
                return;
            }

            await foreach (var change in api.WatchAsync(key.Type, key.Namespace, null, either.Token))
            {
                if (change.Type is WatchEventType.Synced or WatchEventType.Deleted && !IsGoing(await api.GetAsync(key, either.Token)))
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{control}: {key} was deleted, and is not gone after {GoneLimit.TotalMinutes:0} minutes",
                $"metadata.finalizers of it name what it waits for (of a HelmChart: kubectl -n {key.Namespace ?? "kube-system"} logs job/helm-delete-{key.Name}); then run the same target again.");
        }
    }

    /// <summary>Gives up the fields that were restored: their values stay, and the next deploy may change them without a conflict.</summary>
    private async Task LeaveAsync(ObjectKey key, JsonObject live, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var others = live.Objects("metadata", "managedFields").Where(entry => entry.Text("manager") != FieldManager).Select(entry => entry.DeepClone()).ToArray();

            // The API reads an empty list as "no change"; one empty entry clears it.
            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["resourceVersion"] = live.ResourceVersion(),
                    ["managedFields"] = new JsonArray(others.Length > 0 ? others : [new JsonObject()]),
                },
            };
            try
            {
                await api.PatchAsync(key, PatchType.Merge, patch, cancellationToken, new() { FieldManager = FieldManager });
                return;
            }
            catch (KubernetesApiException changed) when (changed.IsConflict && attempt < Attempts)
            {
                // A workload that was just restored rolls out, and its controller writes its status all the time.
                if (await api.GetAsync(key, cancellationToken) is not { } now)
                {
                    return;
                }

                live = now;
            }
        }
    }

    private async Task<Comparison> CompareAsync(JsonObject desired, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(desired);
        if (await api.FindResourceAsync(key.Type, cancellationToken) is not { } resource)
        {
            return new(desired, key, null, null, $"the cluster knows no {key.Type}");
        }

        key = key with { Namespace = resource.Namespaced ? key.Namespace ?? api.Namespace : null };
        var live = await api.GetAsync(key, cancellationToken);
        try
        {
            // The API itself says what would change: it knows the defaults and how lists are merged.
            var options = new ApplyOptions { FieldManager = FieldManager, Force = true, DryRun = true };
            var (foretold, _) = await api.ApplyAsync(desired, cancellationToken, options);
            return new(desired, key, live, foretold, null);
        }
        catch (KubernetesApiException refusal) when (refusal.IsRefusal)
        {
            return new(desired, key, live, null, refusal.ApiMessage);
        }
    }

    private Finding Judge(Comparison comparison, ControlJournal? journal)
    {
        var key = comparison.Key;
        var (state, summary) = comparison switch
        {
            { IsAsDesired: true } => (ControlState.InPlace, $"{key} is as it should be"),
            { Refusal: { } refusal } => (ControlState.Missing, $"{key} cannot be applied: {refusal}"),
            _ when journal is { IsComplete: false } => (ControlState.Unfinished, $"{key} is not as it should be: a change was cut off"),
            { Live: null } => (journal?.Find(key) is null ? ControlState.Missing : ControlState.Drifted, $"there is no {key}"),
            _ => (journal?.Find(key) is null ? ControlState.Missing : ControlState.Drifted, $"{key} is not as it should be"),
        };
        return new(control, Target(key), state, summary, comparison.Lines);
    }

    private static string? Difference(ObjectKey key, JsonObject? before, JsonObject? after)
    {
        var lines = FieldDiff.Between(before, after).SelectMany(change => ValueText.Lines(key, change)).ToList();
        return lines.Count > 0 ? string.Join('\n', lines) : null;
    }

    /// <summary>An object as it is and as it would be.</summary>
    private sealed record Comparison(JsonObject Desired, ObjectKey Key, JsonObject? Live, JsonObject? Foretold, string? Refusal)
    {
        private IEnumerable<FieldChange> Fields => Live is null ? [] : FieldDiff.Between(Live, Foretold);

        public bool IsAsDesired => Refusal is null && Live is not null && !IsGoing(Live) && !Fields.Any();

        public ImmutableArray<string> Lines => Refusal is null ? [.. Fields.SelectMany(change => ValueText.Lines(Key, change))] : [Refusal];

        public PlannedChange Change => new(
            Target(Key),
            Refusal is not null ? $"apply {Key}: {Refusal}" : Live is null ? $"make {Key}" : $"change {Key}",
            Live is null || Refusal is not null ? null : string.Join('\n', Lines));
    }
}
