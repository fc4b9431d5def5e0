using System.Security.Cryptography;
using Cake.K3s.Environments;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.Sandbox.Opening;

/// <summary>The key pair that a sandbox's images are signed with: made on first use.</summary>
internal sealed class SandboxSigningKey(IToolbox tools, ICommandRunner runner, IReporter reporter, ISecretMask mask)
{
    private const string Prefix = "cosign";

    /// <summary>The key pair in a sandbox.</summary>
    public async Task<SigningKey> OpenAsync(SandboxDirectory directory, CancellationToken cancellationToken)
    {
        var password = new Secret(PrivateFiles.ReadOrWrite(
            Path.Combine(directory.Root, "cosign.password"), () => RandomNumberGenerator.GetHexString(32, lowercase: true)));
        mask.Add(password);
        if (!Directory.Exists(directory.Keys))
        {
            await MakeAsync(directory, password, cancellationToken);
        }

        return new SigningKey(Path.Combine(directory.Keys, Prefix + ".key"), Path.Combine(directory.Keys, Prefix + ".pub"), password);
    }

    private async Task MakeAsync(SandboxDirectory directory, Secret password, CancellationToken cancellationToken)
    {
        var cosign = await tools.RequireAsync(ToolName.Cosign, "the sandbox", cancellationToken);

        // Made beside and moved when whole: a run that is killed leaves no half of a pair.
        var fresh = $"{directory.Keys}.{Guid.NewGuid():N}";
        PrivateFiles.MakeDirectory(fresh);
        await runner.RunAsync(
            new Command(cosign.Path, "generate-key-pair", "--output-key-prefix", Prefix)
            {
                WorkingDirectory = fresh,
                Environment = cosign.Environment,
                SecretEnvironment = System.Collections.Immutable.ImmutableDictionary<string, Secret>.Empty.Add("COSIGN_PASSWORD", password),
                Purpose = "make the sandbox's signing key",
                Timeout = TimeSpan.FromMinutes(1),
            },
            cancellationToken);
        Directory.Move(fresh, directory.Keys);
        reporter.Step("sandbox", $"signing key made: {Path.Combine(directory.Keys, Prefix + ".pub")}");
    }
}
