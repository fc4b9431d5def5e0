namespace Cake.K3s.Settings;

/// <summary>What the text of a settings property, or each key of its mapping, must look like.</summary>
/// <param name="pattern">A regular expression in the dialect that JSON Schema and .NET share, anchored at both ends.</param>
/// <param name="meaning">What the pattern stands for, as the object of "expected".</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PatternAttribute(string pattern, string meaning) : Attribute
{
    /// <summary>A DNS label (RFC 1123), as Kubernetes wants it for names.</summary>
    public const string DnsLabel = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

    /// <summary>What <see cref="DnsLabel"/> stands for.</summary>
    public const string DnsLabelMeaning = "lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends";

    /// <summary>A variable's name.</summary>
    public const string VariableName = "^[A-Za-z_][A-Za-z0-9_]*$";

    /// <summary>What <see cref="VariableName"/> stands for.</summary>
    public const string VariableNameMeaning = "letters, digits and underscores, with no digit at the start";

    /// <summary>One part of a repository's name (OCI distribution specification).</summary>
    public const string ImageName = "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*$";

    /// <summary>What <see cref="ImageName"/> stands for.</summary>
    public const string ImageNameMeaning = "lower-case letters and digits, separated by dots, dashes or underscores";

    /// <summary>The regular expression.</summary>
    public string Pattern => pattern;

    /// <summary>What it stands for.</summary>
    public string Meaning => meaning;
}
