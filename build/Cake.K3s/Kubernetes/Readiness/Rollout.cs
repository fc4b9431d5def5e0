using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// The state of a rollout that is being watched: takes changes, judges what they concern, and knows when to look again though
/// nothing changes. It reads no clock and starts nothing. Not safe for several threads.
/// </summary>
internal sealed class Rollout
{
    // A pod without a readiness probe is ready for a moment even if it crashes at once; that is not serving.
    private static readonly TimeSpan ServingAfter = TimeSpan.FromSeconds(5);

    private readonly ClusterView _view = new();
    private readonly RolloutTerms _terms;
    private readonly Action<WorkloadChanged> _changed;
    private readonly Dictionary<ObjectKey, Tracked> _tracked;
    private readonly HashSet<ObjectKey> _dirty;
    private readonly Dictionary<ObjectIdentity, ObjectKey> _byIdentity;
    private readonly Dictionary<string, ObjectKey> _byUid = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _readySince = new(StringComparer.Ordinal);
    private readonly HashSet<ObjectKey> _served = [];

    /// <param name="targets">The objects that are judged, each with its namespace.</param>
    /// <param name="terms">When it began and how long it may take.</param>
    /// <param name="changed">Takes each change that shows.</param>
    public Rollout(IEnumerable<ObjectKey> targets, RolloutTerms terms, Action<WorkloadChanged> changed)
    {
        _terms = terms;
        _changed = changed;
        _tracked = targets.Distinct().ToDictionary(key => key, _ => new Tracked());
        _byIdentity = _tracked.Keys.ToDictionary(key => key.Identity);
        _dirty = [.. _tracked.Keys];
    }

    /// <summary>Takes a change.</summary>
    public void Take(WatchEvent change)
    {
        if (_view.Take(change) is not { } root)
        {
            return;
        }

        // Usually it is its own root; a Job that was made of a CronJob is not.
        if (change.Object is { } node && _byIdentity.TryGetValue(ObjectKey.Of(node).Identity, out var target))
        {
            _byUid[root] = target;
        }

        if (_byUid.TryGetValue(root, out var concerned))
        {
            _dirty.Add(concerned);
        }
        else
        {
            // What a chart's Job does concerns the chart, which does not own it by reference.
            _dirty.UnionWith(_tracked.Keys.Where(key => key.Type.Kind == "HelmChart"));
        }
    }

    /// <summary>Judges what changed, or what is due, and tells whether the rollout has ended.</summary>
    /// <returns>The outcome; null while it goes on.</returns>
    public RolloutOutcome? Judge(DateTimeOffset now)
    {
        foreach (var (key, tracked) in _tracked)
        {
            if (_dirty.Contains(key) || tracked.LookAgainAt <= now)
            {
                Judge(key, tracked, now);
            }
        }

        _dirty.Clear();
        var failures = _tracked.Where(pair => pair.Value.Verdict.Class == VerdictClass.Fatal)
            .OrderBy(pair => pair.Key.ToString(), StringComparer.Ordinal)
            .Select(pair => new RolloutFailure(pair.Key, pair.Value.Verdict, _view.Observe(pair.Key, _terms.StartedAt, now)))
            .ToImmutableArray();
        return !failures.IsEmpty || _tracked.Values.All(tracked => tracked.Verdict.Class == VerdictClass.Ready)
            ? new(failures, _tracked.Count, failures.Any(failure => _served.Contains(failure.Key)))
            : null;
    }

    /// <summary>When to judge again if nothing changes until then; null for never.</summary>
    public DateTimeOffset? LookAgainAt => _tracked.Values.Min(tracked => tracked.LookAgainAt);

    private void Judge(ObjectKey key, Tracked tracked, DateTimeOffset now)
    {
        var observation = _view.Observe(key, _terms.StartedAt, now);
        var verdict = observation is null
            ? Verdict.Waiting("NotFound", "is not there")
            : ReadinessRules.Judge(observation);
        var endsAt = _terms.StartedAt + (observation is null ? null : RolloutOverrides.Of(observation.Object).Deadline).GetValueOrDefault(_terms.Deadline);
        NoteStruggle(tracked, verdict, observation, now);
        if (verdict.Class is VerdictClass.Waiting or VerdictClass.Transient && now >= endsAt)
        {
            verdict = verdict with
            {
                Class = VerdictClass.Fatal,
                Reason = verdict.Class == VerdictClass.Transient ? verdict.Reason : "DeadlineExceeded",
                Message = endsAt == _terms.StartedAt ? verdict.Message : $"not rolled out {(endsAt - _terms.StartedAt).TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s after it was applied: {verdict.Message}",
                NextStep = $"{verdict.NextStep ?? "see what it waits for"}, or give it longer: annotation {RolloutOverrides.DeadlineAnnotation}, or rollout.deadline in deploy.yaml",
            };
        }

        if (verdict.Class == VerdictClass.Transient && tracked.StruggledSince + _terms.Patience is { } patientUntil && patientUntil < endsAt)
        {
            endsAt = patientUntil;
            verdict = now < endsAt
                ? verdict
                : verdict with { Class = VerdictClass.Fatal, Message = $"no better for {_terms.Patience!.Value.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s: {verdict.Message}" };
        }

        tracked.Verdict = verdict;
        tracked.LookAgainAt = verdict.Class == VerdictClass.Ready
            ? verdict.RecheckAt
            : verdict.RecheckAt is { } at && at < endsAt && at > now ? at : endsAt;
        var newPods = observation is null ? [] : WorkloadPods.OfNewRevision(observation);
        NoteServing(key, newPods, now);
        Report(key, tracked, observation, newPods, now);
    }

    // Between two tries of a pull nothing is wrong for a moment; what runs has got over it.
    private static void NoteStruggle(Tracked tracked, Verdict verdict, Observation? observation, DateTimeOffset now)
    {
        if (verdict.Class == VerdictClass.Transient)
        {
            tracked.StruggledSince ??= now;
        }
        else if (observation?.Pods.Any(pod => pod.Text("status", "phase") == "Running") == true)
        {
            tracked.StruggledSince = null;
        }
    }

    private void NoteServing(ObjectKey key, ImmutableArray<JsonObject> newPods, DateTimeOffset now)
    {
        foreach (var pod in newPods)
        {
            var uid = pod.Uid() ?? "";
            if (_readySince.TryGetValue(uid, out var since) && now - since >= ServingAfter)
            {
                _served.Add(key);
            }

            if (!PodReadiness.IsReady(pod))
            {
                _readySince.Remove(uid);
            }
            else if (pod.CreatedAt() >= _terms.StartedAt.AddSeconds(-1))
            {
                _readySince.TryAdd(uid, now);
            }
        }
    }

    private void Report(ObjectKey key, Tracked tracked, Observation? observation, ImmutableArray<JsonObject> newPods, DateTimeOffset now)
    {
        var isNew = newPods.Select(pod => pod.ObjectName()).ToHashSet();
        var change = new WorkloadChanged(
            key.Type.Kind,
            key.Namespace,
            key.Name,
            tracked.Verdict.Class switch
            {
                VerdictClass.Ready => WorkloadState.Ready,
                VerdictClass.Waiting => WorkloadState.Waiting,
                VerdictClass.Transient => WorkloadState.Struggling,
                _ => WorkloadState.Failed,
            },
            tracked.Verdict.Message,
            observation is null
                ? []
                : [.. observation.Pods.OrderBy(pod => pod.ObjectName(), StringComparer.Ordinal).Select(pod => PodStatus.Of(pod, isNew.Contains(pod.ObjectName())))])
        {
            At = now,
        };
        if (!change.ShowsTheSameAs(tracked.Reported))
        {
            tracked.Reported = change;
            _changed(change);
        }
    }

    private sealed class Tracked
    {
        public Verdict Verdict { get; set; } = Verdict.Waiting("NotFound", "is not there");

        public DateTimeOffset? LookAgainAt { get; set; }

        public DateTimeOffset? StruggledSince { get; set; }

        public WorkloadChanged? Reported { get; set; }
    }
}
