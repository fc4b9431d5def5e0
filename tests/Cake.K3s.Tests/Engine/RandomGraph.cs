using CsCheck;

namespace Cake.K3s.Tests.Engine;

/// <summary>What a task of a random graph does.</summary>
internal enum Behaviour
{
    Succeeds,
    SucceedsLater,
    Gathers,
    IsSkipped,
    Fails,
    FailsLater,
    FailsAndIsContinued,
    FailsAndItsHandlerFails,
    FailsInFinally,
}

/// <summary>A task of a random graph.</summary>
internal sealed record RandomTask(string Name, string[] Dependencies, Behaviour Behaviour, bool RunsAlone);

/// <summary>A graph without circles, and what to run of it.</summary>
internal sealed record RandomGraph(RandomTask[] Tasks, string[] Targets)
{
    public static readonly Gen<RandomGraph> Any = With(Enum.GetValues<Behaviour>());

    public static readonly Gen<RandomGraph> Succeeding = With(
        [Behaviour.Succeeds, Behaviour.SucceedsLater, Behaviour.Gathers, Behaviour.FailsAndIsContinued]);

    private static Gen<RandomGraph> With(Behaviour[] behaviours)
    {
        // Half of the tasks simply succeed, or most graphs would fail at once.
        var behaviour = Gen.Frequency((1, Gen.Const(Behaviour.Succeeds)), (1, Gen.Int[0, behaviours.Length - 1].Select(index => behaviours[index])));
        var task = Gen.Select(Gen.UInt, Gen.UInt, behaviour, Gen.Int[0, 9]);
        return from tasks in task.Array[1, 12]
               from targets in Gen.Int[0, tasks.Length - 1].Array[1, 3]
               select new RandomGraph(
                   [.. tasks.Select((made, index) => new RandomTask(
                       NameOf(index),
                       [.. Enumerable.Range(0, index).Where(other => (made.Item1 & made.Item2 & (1u << other)) != 0).Select(NameOf)],
                       made.Item3,
                       made.Item4 == 0))],
                   [.. targets.Distinct().Select(NameOf)]);
    }

    public override string ToString() =>
        $"run {string.Join(", ", Targets)} of {string.Join("; ", Tasks.Select(task => $"{task.Name} <- [{string.Join(" ", task.Dependencies)}] {task.Behaviour}{(task.RunsAlone ? " alone" : "")}"))}";

    private static string NameOf(int index) => "Task" + index;
}
