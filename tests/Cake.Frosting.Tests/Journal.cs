namespace Cake.Frosting.Tests;

/// <summary>What tasks and lifetimes did, in order. Injected, so that each test has its own.</summary>
public sealed class Journal
{
    private readonly List<string> _entries = [];

    public IReadOnlyList<string> Entries => _entries;

    public void Add(string entry) => _entries.Add(entry);
}
