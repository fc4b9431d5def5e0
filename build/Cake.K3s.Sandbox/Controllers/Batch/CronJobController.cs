using System.Globalization;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using Cronos;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Batch;

/// <summary>Makes the Jobs of CronJobs at their times.</summary>
internal sealed class CronJobController : Controller
{
    private const string Component = "cronjob-controller";
    private readonly ControllerContext _context;
    private readonly Informer<V1CronJob> _cronJobs;
    private readonly Informer<V1Job> _jobs;

    public CronJobController(ControllerContext context)
        : base(context)
    {
        _context = context;
        _cronJobs = context.Cache.Of<V1CronJob>();
        _jobs = context.Cache.Of<V1Job>();
        _cronJobs.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _jobs.Changed += (old, now) =>
        {
            if (Ownership.OwnerOf(now ?? old, "CronJob") is { } owner)
            {
                Queue.Add(owner);
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_cronJobs.Find(key) is not { } cronJob || cronJob.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var jobs = _jobs.In(key.Namespace).Where(job => Ownership.Owns(cronJob, job)).ToList();
        await ForgetOldAsync(cronJob, jobs, cancellationToken);
        var running = jobs.Where(job => JobRules.Finished(job) is null).ToList();
        var status = (cronJob.Status ?? new V1CronJobStatus()) with
        {
            LastSuccessfulTime = jobs.Where(job => JobRules.Finished(job)?.Type == "Complete").Select(job => job.Status.CompletionTime).Append(cronJob.Status?.LastSuccessfulTime).Max(),
        };
        if (cronJob.Spec.Suspend != true)
        {
            status = await StartDueAsync(cronJob, running, status, cancellationToken);
            running = [.. _jobs.In(key.Namespace).Where(job => Ownership.Owns(cronJob, job) && JobRules.Finished(job) is null)];
        }

        status.Active = running.Count == 0 ? null : [.. running.Select(job => new V1ObjectReference
        {
            ApiVersion = "batch/v1", Kind = "Job", Name = job.Metadata.Name, NamespaceProperty = key.Namespace, Uid = job.Metadata.Uid, ResourceVersion = job.Metadata.ResourceVersion,
        })];
        await StatusWriter.WriteAsync(_context, cronJob, cronJob.Status, status, cancellationToken);
    }

    private async Task<V1CronJobStatus> StartDueAsync(V1CronJob cronJob, List<V1Job> running, V1CronJobStatus status, CancellationToken cancellationToken)
    {
        DateTime? due;
        try
        {
            (due, var next) = CronSchedule.Of(cronJob, Now);
            if (next is { } time)
            {
                Queue.AddAfter(ObjectKey.Of(cronJob), time - Now + TimeSpan.FromMilliseconds(100));
            }
        }
        catch (Exception e) when (e is CronFormatException or TimeZoneNotFoundException)
        {
            Events.Warning(cronJob, Component, "UnparseableSchedule", $"unparseable schedule: {cronJob.Spec.Schedule} : {e.Message}");
            return status;
        }

        if (due is not { } scheduled)
        {
            return status;
        }

        if (running.Count > 0 && cronJob.Spec.ConcurrencyPolicy == "Forbid")
        {
            Events.Normal(cronJob, Component, "JobAlreadyActive", $"Not starting job because prior execution is running and concurrency policy is Forbid");
            return status;
        }

        if (cronJob.Spec.ConcurrencyPolicy == "Replace")
        {
            foreach (var job in running)
            {
                await Client.DeleteAsync(job, cancellationToken, propagation: "Background");
                Events.Normal(cronJob, Component, "SuccessfulDelete", $"Deleted job {job.Metadata.Name}");
            }
        }

        // The name follows from the time, so that a controller that was killed does not start it twice.
        var minutes = (long)(scheduled - DateTime.UnixEpoch).TotalMinutes;
        var template = KubernetesJson.Deserialize<V1JobTemplateSpec>(KubernetesJson.Serialize(cronJob.Spec.JobTemplate));
        try
        {
            var created = await Client.CreateAsync(
                new V1Job
                {
                    Metadata = new V1ObjectMeta
                    {
                        Name = string.Create(CultureInfo.InvariantCulture, $"{cronJob.Metadata.Name}-{minutes}"),
                        NamespaceProperty = cronJob.Metadata.NamespaceProperty,
                        Labels = template.Metadata?.Labels,
                        Annotations = new Dictionary<string, string>(template.Metadata?.Annotations ?? new Dictionary<string, string>())
                        {
                            ["batch.kubernetes.io/cronjob-scheduled-timestamp"] = scheduled.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                        },
                        OwnerReferences = [Ownership.ReferenceTo(cronJob)],
                    },
                    Spec = template.Spec,
                },
                cancellationToken);
            _jobs.Observe(created);
            Events.Normal(cronJob, Component, "SuccessfulCreate", $"Created job {created.Metadata.Name}");
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Made before; only the status was not written.
        }

        status.LastScheduleTime = scheduled;
        return status;
    }

    private async Task ForgetOldAsync(V1CronJob cronJob, List<V1Job> jobs, CancellationToken cancellationToken)
    {
        foreach (var (type, keep) in new[] { ("Complete", cronJob.Spec.SuccessfulJobsHistoryLimit ?? 3), ("Failed", cronJob.Spec.FailedJobsHistoryLimit ?? 1) })
        {
            var finished = jobs.Where(job => JobRules.Finished(job)?.Type == type).OrderByDescending(job => job.Metadata.CreationTimestamp).ToList();
            foreach (var job in finished.Skip(keep))
            {
                await Client.DeleteAsync(job, cancellationToken, propagation: "Background");
            }
        }
    }
}
