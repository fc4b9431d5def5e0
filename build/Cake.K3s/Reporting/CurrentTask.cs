namespace Cake.K3s.Reporting;

/// <summary>The task that the caller runs in, through all threads that the task uses.</summary>
internal sealed class CurrentTask
{
    private readonly AsyncLocal<string?> _name = new();

    /// <summary>Its name; null outside of tasks.</summary>
    public string? Name
    {
        get => _name.Value;
        set => _name.Value = value;
    }
}
