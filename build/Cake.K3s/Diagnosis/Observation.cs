namespace Cake.K3s.Diagnosis;

/// <summary>One thing that was looked at.</summary>
/// <param name="Health">How it is.</param>
/// <param name="Subject">What it is: a tool, a secret, a server.</param>
/// <param name="Text">One line: what was found.</param>
/// <param name="Mend">How to mend it, as a sentence; null where there is nothing to mend.</param>
internal sealed record Observation(Health Health, string Subject, string Text, string? Mend = null)
{
    /// <summary>It is as it should be.</summary>
    public static Observation Good(string subject, string text) => new(Health.Good, subject, text);

    /// <summary>A run works, but not as well as it could.</summary>
    public static Observation Warning(string subject, string text, string mend) => new(Health.Warning, subject, text, mend);

    /// <summary>A run would fail of it.</summary>
    public static Observation Wrong(string subject, string text, string mend) => new(Health.Wrong, subject, text, mend);

    /// <summary>A run would fail as a check did.</summary>
    public static Observation Wrong(string subject, K3sException failure) =>
        new(Health.Wrong, subject, failure.Summary, failure.NextStep ?? failure.Details.FirstOrDefault());
}

/// <summary>How something is.</summary>
internal enum Health
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>A run works, but not as well as it could.</summary>
    Warning,

    /// <summary>A run would fail of it.</summary>
    Wrong,
}
