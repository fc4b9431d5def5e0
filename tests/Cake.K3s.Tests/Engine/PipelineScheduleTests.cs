using System.Reflection;
using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Tasks.Pipeline;

namespace Cake.K3s.Tests.Engine;

/// <summary>The library's own graph, as the engine sees it.</summary>
public sealed class PipelineScheduleTests
{
    [Test]
    public void Should_Begin_Lint_Test_And_BuildImage_At_Once()
    {
        Type[] order = [typeof(LintTask), typeof(TestTask), typeof(BuildImageTask), typeof(SignTask), typeof(PushTask), typeof(MigrateTask), typeof(DeployTask), typeof(VerifyRolloutTask)];
        var dependencies = order
            .SelectMany(type => type.GetCustomAttributes<IsDependentOnAttribute>().Select(dependency => (Task: NameOf(type), On: NameOf(dependency.Task))))
            .ToLookup(pair => pair.Task, pair => pair.On);

        var schedule = new Schedule(order.Select(NameOf), dependencies, TaskTraits.Of(order).RunAlone);

        Assert.That(schedule.Start(), Is.EqualTo(["Lint", "Test", "BuildImage"]));
    }

    private static string NameOf(Type type) => type.GetCustomAttribute<TaskNameAttribute>()!.Name;
}
