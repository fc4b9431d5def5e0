using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Cosign;

namespace Cake.K3s.Images;

/// <summary>Makes the key pair that an environment's images are signed with, and replaces it.</summary>
public sealed class SigningKeyPairs
{
    private const string DefaultPrivateKey = "cosign.key";
    private const string VariableScheme = "env://";
    private const string Prefix = "new";

    private readonly PipelineRun _run;
    private readonly IToolbox _toolbox;
    private readonly ICommandRunner _commands;
    private readonly SecretReader _secrets;
    private readonly EnvironmentVariables _variables;
    private readonly IReporter _reporter;

    internal SigningKeyPairs(PipelineRun run, IToolbox toolbox, ICommandRunner commands, SecretReader secrets, EnvironmentVariables variables, IReporter reporter)
    {
        _variables = variables;
        _run = run;
        _toolbox = toolbox;
        _commands = commands;
        _secrets = secrets;
        _reporter = reporter;
    }

    /// <summary>Makes the key pair that deploy.yaml names, where it names it.</summary>
    /// <exception cref="K3sException">There is one already, or the environment is the sandbox, which makes its own.</exception>
    public async Task CreateAsync()
    {
        var place = Place();
        foreach (var file in new[] { place.PublicKey, place.PrivateKeyFile }.OfType<string>().Where(File.Exists))
        {
            throw new K3sException(ExitCodes.BadInput, $"there is a key already: {file}", "To replace it run --target=SignKeyRotate.");
        }

        await MakeAsync(place);
        Tell(place);
        _reporter.Step("signing", $"check {Relative(place.PublicKey)} in; images are accepted if they are signed by its private half");
    }

    /// <summary>Makes a new key pair; the old public key stays accepted until its file is deleted.</summary>
    /// <exception cref="K3sException">There is no key, the last rotation has not ended, or the key is not one of a file.</exception>
    public async Task RotateAsync()
    {
        var place = Place();
        var current = PublicKey.Read(place.PublicKey);
        if (place.PrivateKeyFile is not { } privateKey)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"the key {place.Signing.PrivateKey} is kept by a service, and is not this program's to replace",
                $"Move {Relative(place.PublicKey)} to {Relative(place.PreviousKey)}, put the new key's address into deploy.yaml, and run --target=SignKeyCreate.");
        }

        // The same key twice is what a rotation leaves that was interrupted before it made the new one.
        if (File.Exists(place.PreviousKey) && PublicKey.Read(place.PreviousKey).Fingerprint != current.Fingerprint)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"the last rotation has not ended: {Relative(place.PreviousKey)} is still accepted",
                $"Run --target=Push, which signs what is deployed with the present key, then delete {Relative(place.PreviousKey)} and run this again.");
        }

        File.Copy(place.PublicKey, place.PreviousKey, overwrite: true);
        if (File.Exists(privateKey))
        {
            File.Move(privateKey, SigningKeys.PreviousOf(privateKey), overwrite: true);
        }

        await MakeAsync(place);
        Tell(place);
        _reporter.Step(
            "signing",
            $"check {Relative(place.PublicKey)} and {Relative(place.PreviousKey)} in: both are accepted now; run --target=Push in every environment, "
            + $"which adds the new signature to images that have the old one, then delete {Relative(place.PreviousKey)}");
    }

    private async Task MakeAsync(KeyPlace place)
    {
        var cosign = await _toolbox.RequireAsync(ToolName.Cosign, "the signing key", _run.Cancellation);
        var password = place.Signing.Password is { } source
            ? await _secrets.ReadAsync("the signing key's password", source, _run.Settings.Root, _run.Cancellation)
            : null;
        var home = Path.GetDirectoryName(place.PublicKey)!;
        Directory.CreateDirectory(home);

        // Beside its place, so that the files are moved and not copied, and only when both are whole.
        var fresh = Directory.CreateDirectory(Path.Combine(home, $".cosign-{Guid.NewGuid():n}")).FullName;
        try
        {
            var command = new Command(cosign.Path, place.PrivateKeyFile is null ? CosignArguments.GenerateKeyPairIn(place.Signing.PrivateKey!) : CosignArguments.GenerateKeyPair(Prefix))
            {
                WorkingDirectory = fresh,
                Environment = cosign.Environment,
                Timeout = TimeSpan.FromMinutes(2),
                Purpose = "make the signing key",
            };
            try
            {
                await _commands.RunAsync(CosignPassword.Give(command, password), _run.Cancellation);
            }
            catch (CommandFailedException e) when (CosignFailure.Explain(place.Signing.PrivateKey ?? "", e) is { } explained)
            {
                throw explained;
            }

            if (place.PrivateKeyFile is { } privateKey)
            {
                File.Move(Path.Combine(fresh, Prefix + ".key"), privateKey);
            }

            File.Move(Directory.EnumerateFiles(fresh, "*.pub").Single(), place.PublicKey, overwrite: true);
        }
        finally
        {
            Directory.Delete(fresh, recursive: true);
        }

        if (password is null && place.PrivateKeyFile is not null)
        {
            _reporter.Warning("signing", "the private key has no password; 'signing.password' in deploy.yaml names where one is kept");
        }
    }

    private void Tell(KeyPlace place)
    {
        var kept = place.Signing.PrivateKey is { } reference && reference.StartsWith(VariableScheme, StringComparison.Ordinal)
            ? $"put the content of {Relative(place.PrivateKeyFile!)} into the variable {reference[VariableScheme.Length..]} of your CI's secrets, then delete the file"
            : $"the private key is {(place.PrivateKeyFile is { } file ? Relative(file) + "; it never belongs in git" : place.Signing.PrivateKey)}";
        _reporter.Step("signing", kept);
    }

    private KeyPlace Place()
    {
        var environment = _run.EnvironmentSettings;
        if (environment.Sandbox is not null)
        {
            throw new K3sException(ExitCodes.BadInput, $"the environment {environment.Name} is a sandbox, which makes its own signing key", "Name another: --environment=NAME.");
        }

        var signing = environment.Signing ?? _run.Settings.Signing;
        var root = _run.Settings.Root;
        var file = signing.PrivateKey switch
        {
            null => DefaultPrivateKey,
            var reference when reference.StartsWith(VariableScheme, StringComparison.Ordinal) => DefaultPrivateKey,
            var reference when reference.Contains("://", StringComparison.Ordinal) => null,
            var reference => reference,
        };
        return new(signing, UserPath.Resolve(signing.PublicKey, root, _variables), file is null ? null : UserPath.Resolve(file, root, _variables));
    }

    private string Relative(string file) => Path.GetRelativePath(_run.Settings.Root, file);

    /// <param name="Signing">What deploy.yaml says.</param>
    /// <param name="PublicKey">The public key's file.</param>
    /// <param name="PrivateKeyFile">The private key's file; null for a key that a service keeps.</param>
    private sealed record KeyPlace(SigningSettings Signing, string PublicKey, string? PrivateKeyFile)
    {
        public string PreviousKey => SigningKeys.PreviousOf(PublicKey);
    }
}
