using Cake.K3s.Environments;
using Cake.K3s.Settings;

namespace Cake.K3s.Diagnosis;

/// <summary>Reads every secret that deploy.yaml names, and looks for the signing key; shows none.</summary>
internal sealed class SecretsCheckup(SecretReader secrets, KubeconfigOpener opener) : ICheckup
{
    public async Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        var found = new List<Observation>();

        // One after the other: a command may ask the operator something.
        foreach (var (name, source) in environment.Secrets.Where(secret => secret.Value.Sandbox is null).OrderBy(secret => secret.Key, StringComparer.Ordinal))
        {
            found.Add(await OfAsync("secret " + name, async () =>
            {
                await secrets.ReadAsync("secret " + name, source, settings.Root, cancellationToken);
                return "readable: " + Place(source);
            }));
        }

        if (environment.Cluster is not null)
        {
            found.Add(await OfAsync("signing key", async () =>
            {
                var key = await opener.SigningKeyAsync(settings, environment, cancellationToken);
                return $"{key.PrivateKey}, public half {Path.GetRelativePath(settings.Root, key.PublicKey)}";
            }));
        }

        return found;
    }

    private static async Task<Observation> OfAsync(string subject, Func<Task<string>> read)
    {
        try
        {
            return Observation.Good(subject, await read());
        }
        catch (K3sException failure)
        {
            return Observation.Wrong(subject, failure);
        }
    }

    private static string Place(SecretSource source) => source switch
    {
        { Variable: { } variable } => "variable " + variable,
        { File: { } file } => "file " + file,
        _ => "a command",
    };
}
