using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Images.Oci;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
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
    private CosignFlags? _flags;

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
            _reporter.Report(new ImageSigned(name, key.File, IsNew: false, []));
            _reporter.Step(name, "not signed: the registry has it with a signature that verifies");
            return;
        }

        var digest = build.InRegistry ? build.Digest : OciArchive.Open(artifacts.Archive).Digest;
        if (digest != build.Digest)
        {
            throw new K3sException(ExitCodes.Failed, $"image {name}: {artifacts.Archive} holds {digest}, but {build.Digest} was built", "Run --target=BuildImage --rebuild.");
        }

        var isNew = await SignAsync(artifacts, build, environment.SigningKey, key, cancellationToken);
        List<string> statements = [];
        if (!build.InRegistry)
        {
            foreach (var files in artifacts.Attestations.Where(files => File.Exists(files.Predicate)))
            {
                statements.Add(await AttestAsync(artifacts, build, files, environment.SigningKey, key, cancellationToken));
            }
        }

        _reporter.Report(new ImageSigned(name, key.File, isNew, [.. statements]));
    }

    /// <returns>Whether it was not signed before.</returns>
    private async Task<bool> SignAsync(ImageArtifacts artifacts, BuildRecord build, SigningKey pair, PublicKey key, CancellationToken cancellationToken)
    {
        var form = build.Form ?? pair.Form;
        var annotations = new Dictionary<string, string> { [ImageSignature.ContentKeyAnnotation] = build.ContentKey };
        if (artifacts.FindSignature() is { } found
            && (found.Form, found.Repository, found.ContentKey) == (form, build.Repository, build.ContentKey)
            && found.Verifies(build.Digest, key))
        {
            _reporter.Step(build.Image, $"not signed: {build.Digest} is signed already");
            return false;
        }

        if (form == SignatureForm.Bundle)
        {
            var statement = Attestation.Statement(build.Repository, build.Digest, Attestation.SignatureType, new JsonObject(), annotations);
            await SignStatementAsync(build.Image, statement, artifacts.SignatureEnvelope, pair, cancellationToken);
        }
        else
        {
            File.Delete(artifacts.SignatureEnvelope);
            await File.WriteAllBytesAsync(artifacts.Payload, SimpleSigning.Payload(build.Repository, build.Digest, annotations), cancellationToken);
            await SignFileAsync(build.Image, artifacts.Payload, artifacts.Signature, pair, cancellationToken);
        }

        if (artifacts.FindSignature()?.Verifies(build.Digest, key) != true)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"image {build.Image}: the signature that cosign made does not verify with {key.File}",
                $"The private key {pair.PrivateKey} and the public key are not a pair; 'cosign public-key --key …' prints the right one.");
        }

        _reporter.Step(build.Image, $"signed {build.Digest} with {pair.PrivateKey}");
        return true;
    }

    /// <returns>What is attested, in a few words.</returns>
    private async Task<string> AttestAsync(ImageArtifacts artifacts, BuildRecord build, AttestationFiles files, SigningKey pair, PublicKey key, CancellationToken cancellationToken)
    {
        var predicate = JsonNode.Parse(await File.ReadAllTextAsync(files.Predicate, cancellationToken))!;
        var what = files.PredicateType == Attestation.ProvenanceType ? "how it was built" : "what is in it, " + BillOfMaterials.Describe(predicate);
        if (File.Exists(files.Envelope) && new Attestation(await File.ReadAllBytesAsync(files.Envelope, cancellationToken)).Read(build.Digest, key) is not null)
        {
            return what;
        }

        var statement = Attestation.Statement(build.Repository, build.Digest, files.PredicateType, predicate);
        await SignStatementAsync(build.Image, statement, files.Envelope, pair, cancellationToken);
        _reporter.Step(artifacts.Image, $"attested: {what}");
        return what;
    }

    private async Task SignStatementAsync(string image, byte[] statement, string envelope, SigningKey pair, CancellationToken cancellationToken)
    {
        var (input, signature) = (envelope + ".unsigned", envelope + ".sig");
        await File.WriteAllBytesAsync(input, Attestation.SigningInput(statement), cancellationToken);
        await SignFileAsync(image, input, signature, pair, cancellationToken);
        var attestation = Attestation.Of(statement, (await File.ReadAllTextAsync(signature, cancellationToken)).Trim());
        await File.WriteAllBytesAsync(ImageArtifacts.Partial(envelope), attestation.Envelope, cancellationToken);
        File.Move(ImageArtifacts.Partial(envelope), envelope, overwrite: true);
        File.Delete(input);
        File.Delete(signature);
    }

    private async Task SignFileAsync(string image, string file, string signature, SigningKey key, CancellationToken cancellationToken)
    {
        var cosign = await _toolbox.RequireAsync(ToolName.Cosign, "task Sign", cancellationToken);
        var command = new Command(cosign.Path, CosignArguments.SignBlob(await FlagsAsync(cosign, cancellationToken), key.PrivateKey, file, signature))
        {
            Environment = cosign.Environment,
            Timeout = TimeSpan.FromMinutes(2),
            Purpose = $"sign image {image}",
        };
        try
        {
            await _commands.RunAsync(CosignPassword.Give(command, key.Password), cancellationToken);
        }
        catch (CommandFailedException e) when (CosignFailure.Explain(key.PrivateKey, e) is { } explained)
        {
            throw explained;
        }
    }

    // Asked once a run: a second answer would be the same.
    private async Task<CosignFlags> FlagsAsync(Tool cosign, CancellationToken cancellationToken)
    {
        if (_flags is null)
        {
            var help = await _commands.RunAsync(new(cosign.Path, CosignArguments.SignBlobHelp()) { Environment = cosign.Environment }, cancellationToken);
            _flags = CosignFlags.From(help.StandardOutput + help.StandardError);
        }

        return _flags;
    }
}
