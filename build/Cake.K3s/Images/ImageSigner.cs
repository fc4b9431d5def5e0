using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Oci;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Cosign;

namespace Cake.K3s.Images;

/// <summary>Signs the images that were built, by the digests in their archives, before any registry sees them.</summary>
public sealed class ImageSigner
{
    private readonly PipelineRun _run;
    private readonly IToolbox _toolbox;
    private readonly ICommandRunner _commands;
    private readonly IReporter _reporter;

    internal ImageSigner(PipelineRun run, IToolbox toolbox, ICommandRunner commands, IReporter reporter)
    {
        _run = run;
        _toolbox = toolbox;
        _commands = commands;
        _reporter = reporter;
    }

    /// <summary>Signs all images that are not signed yet.</summary>
    /// <exception cref="K3sException">One is not built, cosign failed, or its signature does not verify with the public key.</exception>
    public async Task SignAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var key = PublicKey.Read(environment.SigningKey.PublicKey);
        await ForEachImage.RunAsync(_run.Settings.Images.Keys, name => SignAsync(name, environment, key, _run.Cancellation));
    }

    private async Task SignAsync(string name, DeployEnvironment environment, PublicKey key, CancellationToken cancellationToken)
    {
        var artifacts = new ImageArtifacts(_run.Options.ArtifactsDirectory, name);
        var build = artifacts.ReadBuild();
        if (build is { InRegistry: true, NeedsNewSignature: false })
        {
            _reporter.Step(name, "not signed: the registry has it with a signature that verifies");
            return;
        }

        var digest = build.InRegistry ? build.Digest : OciArchive.Open(artifacts.Archive).Digest;
        if (digest != build.Digest)
        {
            throw new K3sException(ExitCodes.Failed, $"image {name}: {artifacts.Archive} holds {digest}, but {build.Digest} was built", "Run --target=BuildImage --rebuild.");
        }

        var payload = SimpleSigning.Payload(build.Repository, digest);
        if (artifacts.FindSignature() is { } found && found.Payload.AsSpan().SequenceEqual(payload) && found.Verifies(digest, key))
        {
            _reporter.Step(name, $"not signed: {digest} is signed already");
            return;
        }

        await File.WriteAllBytesAsync(artifacts.Payload, payload, cancellationToken);
        await SignAsync(artifacts, environment.SigningKey, cancellationToken);
        if (artifacts.FindSignature()?.Verifies(digest, key) != true)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"image {name}: the signature that cosign made does not verify with {key.File}",
                $"The private key {environment.SigningKey.PrivateKey} and the public key are not a pair; 'cosign public-key --key …' prints the right one.");
        }

        _reporter.Step(name, $"signed {digest} with {environment.SigningKey.PrivateKey}");
    }

    private async Task SignAsync(ImageArtifacts artifacts, SigningKey key, CancellationToken cancellationToken)
    {
        var cosign = await _toolbox.RequireAsync(ToolName.Cosign, "task Sign", cancellationToken);
        var help = await _commands.RunAsync(new(cosign.Path, CosignArguments.SignBlobHelp()) { Environment = cosign.Environment }, cancellationToken);
        var flags = CosignFlags.From(help.StandardOutput + help.StandardError);
        var command = new Command(cosign.Path, CosignArguments.SignBlob(flags, key.PrivateKey, artifacts.Payload, artifacts.Signature))
        {
            Environment = cosign.Environment,
            Timeout = TimeSpan.FromMinutes(2),
            Purpose = $"sign image {artifacts.Image}",
        };
        await _commands.RunAsync(CosignPassword.Give(command, key.Password), cancellationToken);
    }
}
