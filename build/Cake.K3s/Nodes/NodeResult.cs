namespace Cake.K3s.Nodes;

/// <summary>How a script on a node ended.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Errors">Its standard error, secrets masked.</param>
internal sealed record NodeResult(int ExitCode, string Output, string Errors);
