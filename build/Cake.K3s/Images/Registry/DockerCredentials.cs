using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Images.Registry;

/// <summary>A user's way into a registry: a name with a password, or an identity token.</summary>
/// <param name="User">The user's name; empty with an identity token.</param>
/// <param name="Password">The password; null with an identity token.</param>
/// <param name="IdentityToken">A refresh token that <c>docker login</c> was given, or null.</param>
internal sealed record RegistryCredential(string User, Secret? Password, Secret? IdentityToken);

/// <summary>Finds a registry's credentials where Docker keeps them: config.json and the credential helpers that it names.</summary>
internal sealed class DockerCredentials(ICommandRunner commands, ISecretMask mask)
{
    // The name that helpers give to a login with an identity token (docker/cli, cli/config/credentials).
    private const string TokenUser = "<token>";

    // Docker Hub's key in config.json has kept its first address.
    private const string DockerHubKey = "https://index.docker.io/v1/";

    /// <summary>The credentials for a registry; null if Docker has none, which is what an anonymous registry needs.</summary>
    /// <param name="dockerConfig">Absolute path of the directory of config.json.</param>
    /// <param name="host">The registry's host and port.</param>
    /// <param name="cancellationToken">Cancels a helper.</param>
    /// <exception cref="K3sException">config.json cannot be read or a helper failed.</exception>
    public async Task<RegistryCredential?> FindAsync(string dockerConfig, string host, CancellationToken cancellationToken)
    {
        var file = Path.Combine(dockerConfig, "config.json");
        if (!File.Exists(file))
        {
            return null;
        }

        var config = await ReadAsync(file, cancellationToken);
        var keys = host == "docker.io" ? new[] { DockerHubKey, host } : [host, "https://" + host, "http://" + host];
        var found = keys.Select(key => config.CredHelpers?.GetValueOrDefault(key)).FirstOrDefault(name => name is not null) ?? config.CredsStore;
        var credential = found is { Length: > 0 }
            ? await AskHelperAsync(found, keys[0], cancellationToken)
            : keys.Select(key => config.Auths?.GetValueOrDefault(key)).OfType<DockerAuth>().Select(auth => FromFile(auth, file, host)).FirstOrDefault();
        foreach (var secret in new[] { credential?.Password, credential?.IdentityToken }.OfType<Secret>())
        {
            mask.Add(secret);
        }

        return credential;
    }

    private static async Task<DockerConfigFile> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = File.OpenRead(file);
            return await JsonSerializer.DeserializeAsync(stream, DockerConfigJson.Default.DockerConfigFile, cancellationToken) ?? new();
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            // Without the parser's message: it may quote a credential.
            throw new K3sException(ExitCodes.BadInput, $"Docker's configuration {file} cannot be read", "Repair it, or delete it and run 'docker login' again.");
        }
    }

    private static RegistryCredential? FromFile(DockerAuth auth, string file, string host)
    {
        if (auth.IdentityToken is { Length: > 0 } token)
        {
            return new("", null, new(token));
        }

        if (auth.Auth is not { Length: > 0 })
        {
            return null;
        }

        string pair;
        try
        {
            pair = Encoding.UTF8.GetString(Convert.FromBase64String(auth.Auth));
        }
        catch (FormatException)
        {
            throw new K3sException(ExitCodes.BadInput, $"{file} has an 'auth' for {host} that is not base64", $"Run 'docker login {host}' again.");
        }

        var colon = pair.IndexOf(':');
        return colon < 0 ? null : new(pair[..colon], new(pair[(colon + 1)..]), null);
    }

    private async Task<RegistryCredential?> AskHelperAsync(string helper, string key, CancellationToken cancellationToken)
    {
        var result = await commands.RunAsync(
            new("docker-credential-" + helper, "get")
            {
                StandardInput = new(key),
                Timeout = TimeSpan.FromSeconds(30),
                AcceptedExitCodes = [0, 1],
                OutputIsSecret = true,
                Purpose = $"ask the credential helper '{helper}' for {key}",
            },
            cancellationToken);
        var output = result.SecretOutput?.Reveal() ?? "";
        if (result.ExitCode != 0)
        {
            // The one answer that is not a failure (docker-credential-helpers, errCredentialsNotFoundMessage).
            return output.Contains("credentials not found", StringComparison.Ordinal)
                ? null
                : throw new K3sException(ExitCodes.Failed, $"the credential helper '{helper}' failed for {key}", "Run 'docker login' again.", [output.Trim(), result.StandardError.Trim()]);
        }

        try
        {
            var answer = JsonSerializer.Deserialize(output, DockerConfigJson.Default.HelperAnswer)!;
            return answer.Username == TokenUser ? new("", null, new(answer.Secret)) : new(answer.Username, new(answer.Secret), null);
        }
        catch (JsonException)
        {
            throw new K3sException(ExitCodes.Failed, $"the credential helper '{helper}' gave no valid answer for {key}", $"Log in again: docker login {key}; or take the helper out of Docker's config.json.");
        }
    }
}

/// <summary>The part of Docker's config.json that is read here.</summary>
internal sealed record DockerConfigFile
{
    public Dictionary<string, DockerAuth>? Auths { get; init; }

    public Dictionary<string, string>? CredHelpers { get; init; }

    public string? CredsStore { get; init; }
}

/// <summary>One registry's entry in config.json.</summary>
internal sealed class DockerAuth
{
    public string? Auth { get; init; }

    [JsonPropertyName("identitytoken")]
    public string? IdentityToken { get; init; }
}

/// <summary>What a credential helper prints.</summary>
internal sealed class HelperAnswer
{
    [JsonPropertyName("Username")]
    public string Username { get; init; } = "";

    [JsonPropertyName("Secret")]
    public string Secret { get; init; } = "";
}

/// <summary>Reads these documents.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DockerConfigFile))]
[JsonSerializable(typeof(HelperAnswer))]
internal sealed partial class DockerConfigJson : JsonSerializerContext;
