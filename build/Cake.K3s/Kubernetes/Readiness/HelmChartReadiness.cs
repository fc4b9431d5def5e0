using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>K3s' HelmChart is rolled out when the Job that its controller made for it is complete.</summary>
internal static class HelmChartReadiness
{
    public static Verdict Judge(Observation observation, RolloutOverrides overrides)
    {
        var target = observation.Object;
        var jobName = target.Text("status", "jobName");
        if (target.IsTrue("Failed"))
        {
            var failed = target.Condition("Failed");
            return Verdict.Fatal(
                failed.Text("reason") ?? "Failed", failed.Text("message") ?? "the chart was not installed",
                $"see why with: kubectl -n {target.NamespaceName()} logs job/{jobName ?? "helm-install-" + target.ObjectName()}");
        }

        if (jobName is null)
        {
            return Verdict.Waiting("NotObserved", "the Helm controller has not seen this version yet");
        }

        var job = observation.Jobs.FirstOrDefault(candidate => candidate.ObjectName() == jobName);
        return job is null
            ? Verdict.Waiting("NotInstalled", $"waits for Job {jobName}")
            : JobReadiness.Judge(observation with { Object = job, Pods = [.. observation.Pods.Where(pod => pod.IsOwnedBy(job.Uid()))] }, overrides);
    }
}
