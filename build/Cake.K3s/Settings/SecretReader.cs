using Cake.K3s.Processes;

namespace Cake.K3s.Settings;

/// <summary>Reads secrets from where deploy.yaml says that they are. Each one that is read is masked from then on.</summary>
internal sealed class SecretReader(EnvironmentVariables variables, ICommandRunner runner, ISecretMask mask)
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(1);

    /// <summary>Reads one secret.</summary>
    /// <param name="name">What it is called, for the error, e.g. <c>secret DATABASE_URL</c>.</param>
    /// <param name="source">Where it is; not a service of the sandbox.</param>
    /// <param name="root">Absolute path of the directory of deploy.yaml: files and commands are relative to it.</param>
    /// <param name="cancellationToken">Ends a command.</param>
    /// <exception cref="K3sException">It is not there (exit code 5).</exception>
    public async Task<Secret> ReadAsync(string name, SecretSource source, string root, CancellationToken cancellationToken)
    {
        var secret = new Secret(source switch
        {
            { Variable: { } variable } => variables[variable]
                ?? throw Missing(name, $"the environment variable {variable} is not set", $"Set {variable}."),
            { File: { } file } => WithoutLineEnd(ReadFile(name, UserPath.Resolve(file, root, variables))),
            { Command: { } command } => WithoutLineEnd(await RunAsync(name, command, root, cancellationToken)),
            _ => throw Missing(name, "it is a service of the sandbox, and this environment is none", "Name a variable, a file or a command."),
        });
        mask.Add(secret);
        return secret;
    }

    private static string ReadFile(string name, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Missing(name, exception.Message, "Put it there, or correct its place in deploy.yaml.", exception);
        }
    }

    private async Task<string> RunAsync(string name, string command, string root, CancellationToken cancellationToken)
    {
        var shell = ShellCommand.Of(command) with { WorkingDirectory = root, Purpose = "read " + name, Timeout = CommandLimit, OutputIsSecret = true };
        try
        {
            var result = await runner.RunAsync(shell, cancellationToken);
            return result.SecretOutput?.Reveal() is { Length: > 0 } output
                ? output
                : throw Missing(name, $"the command '{command}' prints nothing", "Let it print the secret to standard output.");
        }
        catch (CommandFailedException failure)
        {
            throw new K3sException(ExitCodes.RequirementMissing, $"{name} cannot be read: {failure.Summary}", failure.NextStep, failure.Details, failure);
        }
    }

    private static string WithoutLineEnd(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;

    private static K3sException Missing(string name, string why, string? nextStep, Exception? cause = null) =>
        new(ExitCodes.RequirementMissing, $"{name} cannot be read: {why}", nextStep, innerException: cause);
}
