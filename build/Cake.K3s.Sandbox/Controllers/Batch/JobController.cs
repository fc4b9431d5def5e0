using System.Globalization;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Batch;

/// <summary>
/// Runs the pods of a Job until enough have succeeded or too many have failed. A finished pod is counted by its uid in the status, so
/// that one that is deleted later still counts.
/// </summary>
internal sealed class JobController : Controller
{
    private const string Component = "job-controller";
    private readonly ControllerContext _context;
    private readonly Informer<V1Job> _jobs;
    private readonly Informer<V1Pod> _pods;
    private readonly PodControl _control;

    public JobController(ControllerContext context)
        : base(context)
    {
        _context = context;
        _jobs = context.Cache.Of<V1Job>();
        _pods = context.Cache.Of<V1Pod>();
        _control = new(context, Component);
        _jobs.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _pods.Changed += (old, now) =>
        {
            if (Ownership.OwnerOf(now ?? old, "Job") is { } owner)
            {
                Queue.Add(owner);
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_jobs.Find(key) is not { } job || job.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var pods = _pods.In(key.Namespace).Where(pod => Ownership.Owns(job, pod)).ToList();
        if (JobRules.Finished(job) is { } finished)
        {
            await Task.WhenAll(pods.Where(PodFacts.IsActive).Select(pod => _control.DeleteAsync(pod, job, cancellationToken)));
            await ExpireAsync(job, finished, cancellationToken);
            return;
        }

        var plan = JobRules.Decide(job, pods, Now);
        foreach (var pod in plan.Delete)
        {
            await _control.DeleteAsync(pod, job, cancellationToken);
        }

        ApiException? failure = null;
        try
        {
            foreach (var index in plan.Create)
            {
                await _control.CreateAsync(NewPod(job, index), job, cancellationToken);
            }
        }
        catch (ApiException e) when (!e.IsAlreadyExists)
        {
            failure = e;
        }

        pods = [.. _pods.In(key.Namespace).Where(pod => Ownership.Owns(job, pod))];
        var status = JobRules.Status(job, pods, plan, Now);
        job = await StatusWriter.WriteAsync(_context, job, job.Status, status, cancellationToken);
        Tell(job);
        if (plan.LookAgain is { } pause)
        {
            Queue.AddAfter(key, pause);
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    private void Tell(V1Job job)
    {
        if (JobRules.Finished(job) is not { } finished)
        {
            return;
        }

        if (finished.Type == "Complete")
        {
            Events.Normal(job, Component, "Completed", "Job completed");
        }
        else
        {
            Events.Warning(job, Component, finished.Reason ?? "", finished.Message ?? "");
        }
    }

    private async Task ExpireAsync(V1Job job, V1JobCondition finished, CancellationToken cancellationToken)
    {
        if (job.Spec.TtlSecondsAfterFinished is not { } seconds)
        {
            return;
        }

        var left = (finished.LastTransitionTime ?? Now).AddSeconds(seconds) - Now;
        if (left > TimeSpan.Zero)
        {
            Queue.AddAfter(ObjectKey.Of(job), left);
        }
        else
        {
            await Client.DeleteAsync(job, cancellationToken, propagation: "Foreground");
        }
    }

    private static V1Pod NewPod(V1Job job, int? index)
    {
        var pod = PodControl.FromTemplate(job.Spec.Template, job);
        pod.Metadata.GenerateName = index is null ? job.Metadata.Name + "-" : $"{job.Metadata.Name}-{index}-";
        foreach (var (label, value) in new Dictionary<string, string>
        {
            ["batch.kubernetes.io/controller-uid"] = job.Metadata.Uid,
            ["batch.kubernetes.io/job-name"] = job.Metadata.Name,
            ["controller-uid"] = job.Metadata.Uid,
            ["job-name"] = job.Metadata.Name,
        })
        {
            pod.Metadata.Labels[label] = value;
        }

        if (index is { } number)
        {
            var text = number.ToString(CultureInfo.InvariantCulture);
            pod.Metadata.Annotations[JobRules.IndexAnnotation] = text;
            pod.Metadata.Labels[JobRules.IndexAnnotation] = text;
            pod.Spec.Hostname ??= $"{job.Metadata.Name}-{index}";
            foreach (var container in pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []))
            {
                container.Env = [.. container.Env ?? [], new V1EnvVar { Name = "JOB_COMPLETION_INDEX", Value = text }];
            }
        }

        return pod;
    }
}
