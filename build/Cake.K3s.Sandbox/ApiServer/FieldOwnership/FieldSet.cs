using System.Text.Json.Nodes;

namespace Cake.K3s.Sandbox.ApiServer.FieldOwnership;

/// <summary>
/// A set of fields of an object, as a tree: the <c>fieldsV1</c> of managed fields. Each element may itself be in the set, have
/// elements below it that are, or both.
/// </summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<PathElement, Entry> _entries = [];

    public bool IsEmpty => _entries.Count == 0;

    public IEnumerable<(PathElement Element, bool Member, FieldSet? Below)> Entries
        => _entries.Select(pair => (pair.Key, pair.Value.Member, pair.Value.Below));

    /// <summary>What is below an element; null when nothing is.</summary>
    public FieldSet? Below(PathElement element) => _entries.GetValueOrDefault(element)?.Below;

    public bool Contains(PathElement element) => _entries.TryGetValue(element, out var entry) && entry.Member;

    /// <summary>Puts the field at a path into the set.</summary>
    public void Add(IReadOnlyList<PathElement> path)
    {
        var set = this;
        for (var at = 0; at < path.Count - 1; at++)
        {
            set = set.EnsureBelow(path[at]);
        }

        set.Add(path[^1]);
    }

    public void Add(PathElement element) => Ensure(element).Member = true;

    /// <summary>The set below an element, made when there is none: the caller must put something into it.</summary>
    public FieldSet EnsureBelow(PathElement element) => Ensure(element).Below ??= new FieldSet();

    public void Remove(PathElement element) => _entries.Remove(element);

    /// <summary>Takes an element itself out of the set and leaves what is below it.</summary>
    public void Forget(PathElement element)
    {
        if (_entries.TryGetValue(element, out var entry))
        {
            entry.Member = false;
        }
    }

    public FieldSet Union(FieldSet other)
    {
        var result = Copy();
        foreach (var (element, member, below) in other.Entries)
        {
            var entry = result.Ensure(element);
            entry.Member |= member;
            if (below is not null)
            {
                entry.Below = entry.Below is null ? below.Copy() : entry.Below.Union(below);
            }
        }

        return result;
    }

    /// <summary>The fields of this set that are not in the other.</summary>
    public FieldSet Except(FieldSet other) => Combine(other, (mine, theirs) => mine && !theirs, keepOthers: true);

    /// <summary>The fields that are in both.</summary>
    public FieldSet Intersect(FieldSet other) => Combine(other, (mine, theirs) => mine && theirs, keepOthers: false);

    /// <summary>The paths of all fields in the set.</summary>
    public IEnumerable<IReadOnlyList<PathElement>> Paths() => Paths([]);

    public bool SameAs(FieldSet other)
    {
        if (_entries.Count != other._entries.Count)
        {
            return false;
        }

        foreach (var (element, entry) in _entries)
        {
            if (!other._entries.TryGetValue(element, out var theirs) || entry.Member != theirs.Member
                || (entry.Below?.IsEmpty ?? true) != (theirs.Below?.IsEmpty ?? true)
                || (entry.Below is { IsEmpty: false } below && !below.SameAs(theirs.Below!)))
            {
                return false;
            }
        }

        return true;
    }

    public JsonObject Write()
    {
        var result = new JsonObject();
        foreach (var (element, entry) in _entries)
        {
            var below = entry.Below is { IsEmpty: false } set ? set.Write() : [];
            if (entry.Member && below.Count > 0)
            {
                below.Insert(0, ".", new JsonObject());
            }

            result[element.Text] = below;
        }

        return result;
    }

    /// <summary>Reads <c>fieldsV1</c>; what cannot be read is left out.</summary>
    public static FieldSet Read(JsonObject fields)
    {
        var result = new FieldSet();
        foreach (var (text, content) in fields)
        {
            if (text == "." || content is not JsonObject below)
            {
                continue;
            }

            var entry = result.Ensure(new PathElement(text));
            entry.Member = below.Count == 0 || below.ContainsKey(".");
            var set = Read(below);
            entry.Below = set.IsEmpty ? null : set;
        }

        return result;
    }

    private FieldSet Copy()
    {
        var result = new FieldSet();
        foreach (var (element, entry) in _entries)
        {
            result._entries[element] = new Entry { Member = entry.Member, Below = entry.Below?.Copy() };
        }

        return result;
    }

    private FieldSet Combine(FieldSet other, Func<bool, bool, bool> member, bool keepOthers)
    {
        var result = new FieldSet();
        foreach (var (element, entry) in _entries)
        {
            if (!other._entries.TryGetValue(element, out var theirs))
            {
                if (keepOthers)
                {
                    result._entries[element] = new Entry { Member = entry.Member, Below = entry.Below?.Copy() };
                }

                continue;
            }

            var isMember = member(entry.Member, theirs.Member);
            var below = entry.Below?.Combine(theirs.Below ?? Empty, member, keepOthers);
            if (isMember || below is { IsEmpty: false })
            {
                result._entries[element] = new Entry { Member = isMember, Below = below is { IsEmpty: false } ? below : null };
            }
        }

        return result;
    }

    private IEnumerable<IReadOnlyList<PathElement>> Paths(List<PathElement> prefix)
    {
        foreach (var (element, entry) in _entries)
        {
            List<PathElement> path = [.. prefix, element];
            if (entry.Member)
            {
                yield return path;
            }

            foreach (var deeper in entry.Below?.Paths(path) ?? [])
            {
                yield return deeper;
            }
        }
    }

    private Entry Ensure(PathElement element)
    {
        if (!_entries.TryGetValue(element, out var entry))
        {
            _entries[element] = entry = new Entry();
        }

        return entry;
    }

    private static FieldSet Empty => new();

    private sealed class Entry
    {
        public bool Member { get; set; }

        public FieldSet? Below { get; set; }
    }
}
