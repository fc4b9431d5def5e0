using Cake.Shared;

namespace Cake.Frosting.Graph;

/// <summary>Which task runs before which. Checked when it is made, so that what reads it cannot meet a circle.</summary>
internal sealed class TaskGraph
{
    private readonly Dictionary<string, TaskDefinition> _tasks = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<TaskDefinition>> _dependencies = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Makes the graph of tasks.</summary>
    /// <exception cref="FrostingException">Two tasks have one name, a dependency is no task, or tasks depend on each other.</exception>
    public TaskGraph(IReadOnlyList<TaskDefinition> tasks)
    {
        Tasks = tasks;
        foreach (var task in tasks)
        {
            if (!_tasks.TryAdd(task.Name, task))
            {
                throw new FrostingException(
                    $"Another task with the name '{task.Name}' has already been added: {_tasks[task.Name].Type.FullName} and {task.Type.FullName}.");
            }

            _dependencies[task.Name] = [];
        }

        // The order in which Cake connects them, which is the order in which they run.
        foreach (var task in tasks)
        {
            foreach (var dependency in task.Dependencies)
            {
                Connect(Existing(dependency, $"Task '{task.Name}' is dependent on task '{{0}}'"), task);
            }

            foreach (var dependee in task.Dependees)
            {
                Connect(task, Existing(dependee, $"Task '{task.Name}' has specified that it's a dependency for task '{{0}}'"));
            }
        }

        CheckForCircles();
    }

    /// <summary>All tasks, in the order of their registration.</summary>
    public IReadOnlyList<TaskDefinition> Tasks { get; }

    /// <summary>The tasks that no other one needs: Default first, then by name.</summary>
    public IEnumerable<TaskDefinition> Roots =>
        Tasks.Except(_dependencies.Values.SelectMany(tasks => tasks))
            .OrderByDescending(task => task.Name.Equals("Default", StringComparison.OrdinalIgnoreCase))
            .ThenBy(task => task.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The tasks that run before another, in the order in which Cake runs them.</summary>
    public IReadOnlyList<TaskDefinition> DependenciesOf(TaskDefinition task) => _dependencies[task.Name];

    /// <summary>The target's name nearest to one that does not exist; null where the target exists.</summary>
    public string? MissingTargetMessage(string target)
    {
        if (_tasks.ContainsKey(target))
        {
            return null;
        }

        var nearest = NearestName.Find(target, _tasks.Keys);
        return $"The target '{target}' was not found. " + (nearest is null ? "--description lists the tasks." : $"Did you mean '{nearest}'?");
    }

    private TaskDefinition Existing(Type dependency, string whoFormat)
    {
        var name = TaskDefinition.NameOf(dependency);
        var who = string.Format(null, whoFormat, name);
        if (!typeof(IFrostingTask).IsAssignableFrom(dependency))
        {
            throw new FrostingException($"{who}, but the class {dependency.FullName} is not a valid task.");
        }

        if (_tasks.TryGetValue(name, out var task))
        {
            return task;
        }

        throw new FrostingException($"{who} which does not exist. " + (dependency.IsVisible
            ? $"Add its assembly with AddAssembly(typeof({dependency.Name}).Assembly)."
            : $"Make the class {dependency.FullName} public."));
    }

    private void Connect(TaskDefinition first, TaskDefinition second)
    {
        if (!_dependencies[second.Name].Contains(first))
        {
            _dependencies[second.Name].Add(first);
        }
    }

    private void CheckForCircles()
    {
        HashSet<TaskDefinition> done = [];
        foreach (var task in Tasks)
        {
            Visit(task, [], done);
        }
    }

    private void Visit(TaskDefinition task, List<TaskDefinition> path, HashSet<TaskDefinition> done)
    {
        var start = path.IndexOf(task);
        if (start >= 0)
        {
            var circle = path.Skip(start).Append(task).Select(member => member.Name);
            throw new FrostingException($"Tasks depend on each other in a circle: {string.Join(" -> ", circle)}.");
        }

        if (!done.Contains(task))
        {
            path.Add(task);
            foreach (var dependency in DependenciesOf(task))
            {
                Visit(dependency, path, done);
            }

            path.RemoveAt(path.Count - 1);
            done.Add(task);
        }
    }
}
