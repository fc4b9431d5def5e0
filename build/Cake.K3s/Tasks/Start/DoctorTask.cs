using Cake.Frosting;
using Cake.K3s.Diagnosis;
using Cake.K3s.Reporting;

namespace Cake.K3s.Tasks.Start;

/// <summary>Check all that a deploy needs, and say how to mend what is wrong.</summary>
[TaskName("Doctor")]
[TaskDescription("Check tools, access, secrets, clocks, versions and disk, and say how to mend what is wrong.")]
[LeavesNoReport]
public sealed class DoctorTask(Lazy<Doctor> doctor) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => doctor.Value.ExamineAsync();
}
