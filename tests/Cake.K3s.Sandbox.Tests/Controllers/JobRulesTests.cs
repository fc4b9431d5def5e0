using Cake.K3s.Sandbox.Controllers.Batch;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Controllers;

public sealed class JobRulesTests
{
    private static readonly DateTime Now = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Test]
    public void Should_Create_As_Many_As_May_Run_At_Once_When_It_Starts() =>
        Assert.That(Decide(""" "completions": 5, "parallelism": 2 """).Create, Has.Count.EqualTo(2));

    [Test]
    public void Should_Not_Create_More_Than_Are_Wanted_When_Most_Have_Succeeded() =>
        Assert.That(Decide(""" "completions": 3, "parallelism": 2 """, Pod("Succeeded"), Pod("Succeeded")).Create, Has.Count.EqualTo(1));

    [Test]
    public void Should_Be_Complete_When_Enough_Have_Succeeded()
    {
        var job = Job(""" "completions": 1, "parallelism": 1 """);
        V1Pod[] pods = [Pod("Succeeded")];

        var status = JobRules.Status(job, pods, JobRules.Decide(job, pods, Now), Now);

        Assert.Multiple(() =>
        {
            Assert.That(status.Conditions.Select(condition => condition.Type), Is.EqualTo(new[] { "SuccessCriteriaMet", "Complete" }));
            Assert.That((status.Succeeded, status.CompletionTime), Is.EqualTo(((int?)1, (DateTime?)Now)));
        });
    }

    [Test]
    public void Should_Give_The_Verdict_First_When_A_Pod_Is_Still_There()
    {
        var job = Job(""" "completions": 1, "parallelism": 2 """);
        V1Pod[] pods = [Pod("Succeeded"), Pod("Running")];

        var status = JobRules.Status(job, pods, JobRules.Decide(job, pods, Now), Now);

        Assert.That(status.Conditions.Select(condition => condition.Type), Is.EqualTo(new[] { "SuccessCriteriaMet" }));
    }

    [Test]
    public void Should_Fail_When_More_Pods_Failed_Than_The_Limit_Allows() =>
        Assert.That(Decide(""" "backoffLimit": 0 """, Pod("Failed")).Failure, Is.EqualTo(("BackoffLimitExceeded", "Job has reached the specified backoff limit")));

    [Test]
    public void Should_Wait_Ten_Seconds_When_A_Pod_Failed_And_Another_Try_Is_Left()
    {
        var plan = Decide(""" "backoffLimit": 3 """, Pod("Failed", finished: Now.AddSeconds(-4)));

        Assert.That((plan.Create.Count, plan.LookAgain), Is.EqualTo((0, TimeSpan.FromSeconds(6))));
    }

    [Test]
    public void Should_Try_Again_When_The_Pause_Is_Over() =>
        Assert.That(Decide(""" "backoffLimit": 3 """, Pod("Failed", finished: Now.AddSeconds(-11))).Create, Has.Count.EqualTo(1));

    [Test]
    public void Should_Count_Restarts_When_The_Pod_Restarts_Its_Containers_Itself()
    {
        var running = Pod("Running");
        running.Status.ContainerStatuses = [new V1ContainerStatus { Name = "c", RestartCount = 2 }];

        Assert.That(Decide(""" "backoffLimit": 1 """, "OnFailure", running).Failure?.Reason, Is.EqualTo("BackoffLimitExceeded"));
    }

    [Test]
    public void Should_Fail_When_It_Ran_Longer_Than_The_Deadline()
    {
        var job = Job(""" "activeDeadlineSeconds": 10 """);
        job.Status = new V1JobStatus { StartTime = Now.AddSeconds(-11) };

        Assert.That(JobRules.Decide(job, [Pod("Running")], Now), Has.Property("Failure").EqualTo(("DeadlineExceeded", "Job was active longer than specified deadline"))
            .And.Property("Delete").Count.EqualTo(1));
    }

    [Test]
    public void Should_Not_Count_Down_When_Finished_Pods_Are_Deleted()
    {
        var job = Job(""" "backoffLimit": 5 """);
        job.Status = new V1JobStatus { StartTime = Now, Failed = 2 };

        Assert.That(JobRules.Status(job, [], JobRules.Decide(job, [], Now), Now).Failed, Is.EqualTo(2));
    }

    [Test]
    public void Should_Fail_At_Once_When_The_Policy_Names_The_Exit_Code()
    {
        var failed = Pod("Failed", exitCode: 42);
        var plan = Decide(""" "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]} """, failed);

        Assert.That(plan.Failure, Is.EqualTo(("PodFailurePolicy", $"Container c with exit code 42 for pod shop/{failed.Metadata.Name} failed matching FailJob rule at index 0")));
    }

    [Test]
    public void Should_Give_Out_The_Free_Indexes_When_The_Job_Is_Indexed()
    {
        var done = Pod("Succeeded");
        done.Metadata.Annotations = new Dictionary<string, string> { [JobRules.IndexAnnotation] = "1" };

        Assert.That(Decide(""" "completionMode": "Indexed", "completions": 4, "parallelism": 2 """, done).Create, Is.EqualTo(new int?[] { 0, 2 }));
    }

    [Test]
    public void Should_Delete_Its_Pods_When_It_Is_Suspended() =>
        Assert.That(Decide(""" "suspend": true """, Pod("Running")), Has.Property("Delete").Count.EqualTo(1).And.Property("Create").Empty);

    [TestCase("*/5 * * * *", "2026-01-01T11:50:00Z", "2026-01-01T11:55:00Z", "2026-01-01T12:00:00Z", Description = "of several missed times the last one counts")]
    [TestCase("0 3 * * *", "2026-01-01T11:50:00Z", null, "2026-01-02T03:00:00Z")]
    [TestCase("@hourly", "2026-01-01T10:30:00Z", "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z")]
    public void Should_Be_Due_When_The_Schedule_Has_Passed(string schedule, string last, string? due, string next)
    {
        var cronJob = new V1CronJob { Metadata = new(), Spec = new() { Schedule = schedule }, Status = new() { LastScheduleTime = DateTime.Parse(last).ToUniversalTime() } };

        var (isDue, isNext) = CronSchedule.Of(cronJob, new DateTime(2026, 1, 1, 11, 57, 0, DateTimeKind.Utc));

        Assert.That((isDue, isNext), Is.EqualTo((due is null ? (DateTime?)null : DateTime.Parse(due).ToUniversalTime(), (DateTime?)DateTime.Parse(next).ToUniversalTime())));
    }

    private static JobPlan Decide(string spec, params V1Pod[] pods) => Decide(spec, "Never", pods);

    private static JobPlan Decide(string spec, string restartPolicy, params V1Pod[] pods) => JobRules.Decide(Job(spec, restartPolicy), pods, Now);

    private static V1Job Job(string spec, string restartPolicy = "Never")
    {
        var completions = spec.Contains("completions", StringComparison.Ordinal) ? "" : "\"completions\": 1,";
        return KubernetesJson.Deserialize<V1Job>($$$"""
            {"metadata": {"name": "j", "namespace": "shop", "uid": "j"},
             "spec": { {{{completions}}} "template": {"spec": {"restartPolicy": "{{{restartPolicy}}}", "containers": []} }, {{{spec}}} } }
            """);
    }

    private static V1Pod Pod(string phase, DateTime? finished = null, int exitCode = 1) => new()
    {
        Metadata = new V1ObjectMeta { Name = "j-" + phase.ToLowerInvariant(), NamespaceProperty = "shop", Uid = Guid.NewGuid().ToString() },
        Status = new V1PodStatus
        {
            Phase = phase,
            ContainerStatuses = phase == "Failed"
                ? [new V1ContainerStatus { Name = "c", State = new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = exitCode, FinishedAt = finished ?? Now } } }]
                : null,
        },
    };
}
