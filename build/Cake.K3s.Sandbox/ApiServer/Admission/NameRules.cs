using System.Text.RegularExpressions;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>What names, labels and the like may look like, with the sentences that apimachinery says about them.</summary>
internal static partial class NameRules
{
    private const string SubdomainMessage =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    private const string LabelMessage =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

    private const string DnsLabelMessage =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    private const string LabelValueMessage =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    private const string QualifiedNameMessage =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    private const string EnvironmentMessage =
        "a valid environment variable name must consist only of printable ASCII characters other than '='";

    private const string ConfigKeyMessage =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

    public static IEnumerable<string> Subdomain(string name) => Check(name, 253, SubdomainShape(), SubdomainMessage);

    public static IEnumerable<string> Label(string name) => Check(name, 63, LabelShape(), LabelMessage);

    public static IEnumerable<string> DnsLabel(string name) => Check(name, 63, DnsLabelShape(), DnsLabelMessage);

    public static IEnumerable<string> LabelValue(string value) => Check(value, 63, LabelValueShape(), LabelValueMessage);

    public static IEnumerable<string> ConfigKey(string key) => Check(key, 253, ConfigKeyShape(), ConfigKeyMessage);

    public static IEnumerable<string> EnvironmentVariable(string name) => Check(name, int.MaxValue, EnvironmentShape(), EnvironmentMessage);

    public static IEnumerable<string> QualifiedName(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var name = slash < 0 ? key : key[(slash + 1)..];
        if (slash == 0)
        {
            yield return "prefix part must be non-empty";
        }
        else if (slash > 0)
        {
            foreach (var problem in Subdomain(key[..slash]))
            {
                yield return "prefix part " + problem;
            }
        }

        if (name.Length == 0)
        {
            yield return "name part must be non-empty";
        }
        else if (name.Length > 63)
        {
            yield return "name part must be no more than 63 bytes";
        }

        if (!QualifiedShape().IsMatch(name))
        {
            yield return QualifiedNameMessage;
        }
    }

    /// <summary>Names that become a segment of a path.</summary>
    public static IEnumerable<string> PathSegment(string name)
    {
        if (name is "." or "..")
        {
            yield return $"may not be '{name}'";
        }

        foreach (var part in (string[])["/", "%"])
        {
            if (name.Contains(part, StringComparison.Ordinal))
            {
                yield return $"may not contain '{part}'";
            }
        }
    }

    private static IEnumerable<string> Check(string text, int longest, Regex shape, string message)
    {
        if (text.Length > longest)
        {
            yield return $"must be no more than {longest} bytes";
        }

        if (!shape.IsMatch(text))
        {
            yield return message;
        }
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex SubdomainShape();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex LabelShape();

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex DnsLabelShape();

    [GeneratedRegex(@"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\z")]
    private static partial Regex LabelValueShape();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z")]
    private static partial Regex QualifiedShape();

    [GeneratedRegex(@"^[-._a-zA-Z0-9]+\z")]
    private static partial Regex ConfigKeyShape();

    [GeneratedRegex(@"^[ -<>-~]+\z")]
    private static partial Regex EnvironmentShape();
}
