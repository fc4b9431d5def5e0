using System.Reflection;
using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Tasks.Hardening;

namespace Cake.K3s.Tests.Hardening;

public sealed class ControlTaskTests
{
    private static readonly IReadOnlyList<Type> Tasks =
        [.. typeof(HardenTask).Assembly.GetTypes().Where(type => type.IsClass && !type.IsAbstract && typeof(IFrostingTask).IsAssignableFrom(type))];

    [TestCase(typeof(HardenControlTask), "Harden-")]
    [TestCase(typeof(UndoControlTask), "Undo-")]
    public void Should_RunAlone_When_ATaskChangesNodes(Type kind, string prefix)
    {
        var tasks = Tasks.Where(kind.IsAssignableFrom).ToList();

        Assert.That(tasks, Has.All.Matches<Type>(task => task.IsDefined(typeof(RunsAloneAttribute))));
        Assert.That(tasks.Select(task => task.GetCustomAttribute<TaskNameAttribute>()!.Name), Has.All.StartsWith(prefix));
    }

    [Test]
    public void Should_HaveATaskToHardenAndOneToUndo_When_AControlExists()
    {
        var controls = Controls.Select(type => type.Name[..^"Control".Length]).ToList();

        Assert.That(Named<HardenControlTask>(), Is.EquivalentTo(controls));
        Assert.That(Named<UndoControlTask>(), Is.EquivalentTo(controls));
    }

    [Test]
    public void Should_SayWhatItIsProvedWith_When_AControlExists() =>
        Assert.That(Controls.Where(type => !type.IsDefined(typeof(ProvedByAttribute))), Is.Empty);

    private static IEnumerable<Type> Controls => typeof(HardenTask).Assembly.GetTypes()
        .Where(type => type.IsClass && !type.IsAbstract && typeof(K3s.Hardening.IControl).IsAssignableFrom(type));

    private static IEnumerable<string> Named<T>() => Tasks.Where(typeof(T).IsAssignableFrom).Select(HardenControlTask.ControlOf);
}
