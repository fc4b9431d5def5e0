using Cronos;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Batch;

/// <summary>When a CronJob is due.</summary>
internal static class CronSchedule
{
    // Real clusters give up after as many missed times; so that a clock that jumps does not keep the controller busy.
    private const int MostMissed = 100;

    /// <summary>
    /// The latest time that is due and not served yet, and the next one after now; null where there is none. A schedule that cannot be
    /// read throws <see cref="CronFormatException"/>, an unknown time zone <see cref="TimeZoneNotFoundException"/>.
    /// </summary>
    public static (DateTime? Due, DateTime? Next) Of(V1CronJob job, DateTime now)
    {
        var expression = CronExpression.Parse(job.Spec.Schedule);
        var zone = string.IsNullOrEmpty(job.Spec.TimeZone) ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(job.Spec.TimeZone);
        var from = job.Status?.LastScheduleTime ?? job.Metadata.CreationTimestamp ?? now;
        if (job.Spec.StartingDeadlineSeconds is { } seconds && now.AddSeconds(-seconds) > from)
        {
            from = now.AddSeconds(-seconds);
        }

        DateTime? due = null;
        var at = DateTime.SpecifyKind(from, DateTimeKind.Utc);
        for (var i = 0; i < MostMissed && expression.GetNextOccurrence(at, zone) is { } next && next <= now; i++)
        {
            (due, at) = (next, next);
        }

        return (due, expression.GetNextOccurrence(DateTime.SpecifyKind(now, DateTimeKind.Utc), zone));
    }
}
