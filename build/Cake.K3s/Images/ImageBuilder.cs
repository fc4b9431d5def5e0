using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Buildx;
using Cake.Shared;

namespace Cake.K3s.Images;

/// <summary>Builds the images of deploy.yaml that the registry does not have yet, each into an OCI archive.</summary>
public sealed class ImageBuilder
{
    private const string Platform = "linux/amd64";
    internal const string RevisionLabel = "org.opencontainers.image.revision";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly PipelineRun _run;
    private readonly IToolbox _toolbox;
    private readonly ICommandRunner _commands;
    private readonly RegistryClients _registries;
    private readonly SecretReader _secrets;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal ImageBuilder(PipelineRun run, IToolbox toolbox, ICommandRunner commands, RegistryClients registries, SecretReader secrets, IReporter reporter, TimeProvider time)
    {
        _run = run;
        _toolbox = toolbox;
        _commands = commands;
        _registries = registries;
        _secrets = secrets;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Builds all images, several at once.</summary>
    /// <exception cref="K3sException">One does not build; the message is the builder's own. The others are built to their end.</exception>
    public async Task BuildAsync()
    {
        var cancellationToken = _run.Cancellation;
        var environment = await _run.EnvironmentAsync();
        var keys = SigningKeys.Accepted(environment.SigningKey);
        var bases = BaseImageLock.Read(BaseImageLock.FileIn(_run.Settings.Root));
        var revision = SourceRevision.Of(_run.Settings.Root);
        using var registry = _registries.Open(environment.Registry);
        await ForEachImage.RunAsync(
            _run.Settings.Images.Keys,
            name => BuildAsync(name, environment, registry, keys, bases, revision, cancellationToken));
    }

    private async Task BuildAsync(
        string name,
        DeployEnvironment environment,
        RegistryClient registry,
        IReadOnlyList<PublicKey> keys,
        BaseImageLock bases,
        SourceRevision? revision,
        CancellationToken cancellationToken)
    {
        var inputs = InputsOf(name, environment, bases);
        var key = await ContentKey.ComputeAsync(_run.Settings.Root, inputs, cancellationToken);
        var repository = ImageReference.Parse(environment.Registry.RepositoryOf(name));
        var artifacts = new ImageArtifacts(_run.Options.ArtifactsDirectory, name);
        var record = new BuildRecord
        {
            Image = name,
            Repository = repository.Name,
            Digest = Digest.Of([]),
            ContentKey = key,
            Commit = revision?.Commit,
            CommitTime = revision?.Time,
            IsDirty = revision?.IsDirty ?? false,
            Time = _time.GetUtcNow(),
            Tags = CommitTag.Of(revision, environment, name, key),
        };

        if (!_run.Options.Rebuild)
        {
            var tag = ContentKey.TagOf(key);
            if (await registry.FindDigestAsync(repository.Repository, tag, cancellationToken) is { } present)
            {
                var signatures = await registry.ReadSignaturesAsync(repository.Repository, present, cancellationToken);

                // For this very key: whoever can write to the registry could let the tag name an older image that is signed as well.
                if (signatures.FirstOrDefault(signature => signature.Verifies(present, keys) && signature.ContentKey == key) is { } valid)
                {
                    var current = signatures.Any(signature => signature.Verifies(present, keys[0]));
                    artifacts.Write(record with { Digest = present, InRegistry = true, NeedsNewSignature = !current, Form = valid.Form });
                    _reporter.Report(record.ToEvent(present, isNew: false));
                    _reporter.Step(name, $"not built: nothing changed since {repository.Name}@{present} (tag {tag}), and its signature verifies");
                    return;
                }

                _reporter.Warning(name, $"{repository.Name}:{tag} has no signature for this key by {environment.SigningKey.PublicKey}; building again");
            }
            else if (artifacts.FindBuild() is { InRegistry: false } last && last.ContentKey == key && HasArchive(artifacts, last.Digest))
            {
                artifacts.Write(last with { Repository = record.Repository, Commit = record.Commit, IsDirty = record.IsDirty, Tags = record.Tags });
                _reporter.Report(record.ToEvent(last.Digest, isNew: false));
                _reporter.Step(name, $"not built: nothing changed since the last build, {last.Digest}");
                return;
            }
        }

        foreach (var unpinned in inputs.Bases.Values.Where(pin => !pin.Contains('@', StringComparison.Ordinal)))
        {
            _reporter.Warning(name, $"its base image {unpinned} is not pinned, so the same sources may give another image tomorrow; --target=LockBaseImages pins it");
        }

        artifacts.Clear();
        await PrepareAsync(name, cancellationToken);
        record = record with { Digest = await BuildAsync(name, inputs, record, environment, artifacts, cancellationToken) };
        await StateAsync(record, inputs, environment, revision, artifacts, cancellationToken);
        artifacts.Write(record);
        _reporter.Report(record.ToEvent(record.Digest, isNew: true));
        _reporter.Step(name, $"built {record.Digest}");
    }

    private static bool HasArchive(ImageArtifacts artifacts, Digest digest)
    {
        try
        {
            return File.Exists(artifacts.Archive) && OciArchive.Open(artifacts.Archive).Digest == digest;
        }
        catch (K3sException)
        {
            // Cut off or foreign: built anew.
            return false;
        }
    }

    private BuildInputs InputsOf(string name, DeployEnvironment environment, BaseImageLock bases)
    {
        var image = _run.Settings.Images[name];
        var arguments = image.Arguments
            .SetItems(environment.BuildArguments.GetValueOrDefault(name) ?? ImmutableDictionary<string, string>.Empty)
            .ToImmutableSortedDictionary(StringComparer.Ordinal);
        var dockerfile = DockerfileOf(image);
        if (!File.Exists(dockerfile))
        {
            throw new SettingsException(_run.Settings.File, 0, 0, $"image {name}: there is no Dockerfile {dockerfile}");
        }

        var text = File.ReadAllText(dockerfile);
        var declared = BaseImages.Arguments(text);
        if (arguments.Keys.Except(declared).FirstOrDefault(argument => !BuildxArguments.IsPredefined(argument)) is { } unknown)
        {
            var there = NearestName.Find(unknown, declared) is { } near ? $"did you mean '{near}'?" : $"there are: {string.Join(", ", declared.DefaultIfEmpty("none"))}";
            throw new SettingsException(_run.Settings.File, 0, 0, $"image {name}: its Dockerfile has no ARG {unknown}; {there}");
        }

        var pins = BaseImages.In(text, arguments).ToImmutableSortedDictionary(found => found, bases.PinOf, StringComparer.Ordinal);
        return new(image, Platform, arguments, pins);
    }

    private async Task PrepareAsync(string name, CancellationToken cancellationToken)
    {
        var image = _run.Settings.Images[name];
        if (image.Prepare is not { } script)
        {
            return;
        }

        _reporter.Step(name, $"preparing: {script}");
        await _commands.RunAsync(
            ShellCommand.Of(script) with
            {
                WorkingDirectory = ContextOf(image),
                OnLine = line => _reporter.Output(name, line.Text),
                Purpose = $"prepare image {name}",
            },
            cancellationToken);
    }

    private async Task<Digest> BuildAsync(
        string name,
        BuildInputs inputs,
        BuildRecord record,
        DeployEnvironment environment,
        ImageArtifacts artifacts,
        CancellationToken cancellationToken)
    {
        var buildx = await _toolbox.RequireAsync(ToolName.Buildx, "task BuildImage", cancellationToken);
        var metadata = Path.Combine(artifacts.Directory, "metadata.json");
        var secrets = await SecretsOfAsync(name, inputs.Image, cancellationToken);
        var settings = new BuildxSettings
        {
            Context = ContextOf(inputs.Image),
            File = DockerfileOf(inputs.Image),
            Archive = ImageArtifacts.Partial(artifacts.Archive),
            MetadataFile = metadata,
            Platform = inputs.Platform,
            Builder = environment.Builder.Builder,
            Target = inputs.Image.Target,
            BuildArguments = inputs.Arguments,
            PinnedBases = inputs.Bases.Where(pin => pin.Key != pin.Value).ToImmutableSortedDictionary(StringComparer.Ordinal),
            Labels = LabelsOf(record),
            Secrets = secrets.ToImmutableSortedDictionary(secret => secret.Id, secret => secret.Variable, StringComparer.Ordinal),
            Cache = environment.Registry.Cache is { } cache ? $"{cache}:{name}" : null,
        };
        var epoch = (record.CommitTime ?? DateTimeOffset.UnixEpoch).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var variables = buildx.Environment
            .SetItem(BuildxArguments.SourceDateEpoch, epoch)
            .SetItem("DOCKER_CONFIG", environment.Registry.DockerConfig);
        if (environment.Builder.DockerHost is { } host)
        {
            variables = variables.SetItem("DOCKER_HOST", host);
        }

        await using (var log = new StreamWriter(artifacts.Log))
        {
            var output = new List<string>();
            var progress = new BuildxProgress(name);
            var command = new Command(buildx.Path, BuildxArguments.Build(settings))
            {
                Environment = variables,
                SecretEnvironment = secrets.ToImmutableDictionary(secret => secret.Variable, secret => secret.Value),
                Purpose = $"build image {name}",
                OnLine = line =>
                {
                    output.Add(line.Text);
                    log.WriteLine(line.Text);
                    _reporter.Output(name, line.Text);
                    if (progress.Take(line.Text) is { } progressed)
                    {
                        _reporter.Report(progressed);
                    }
                },
            };
            try
            {
                await _commands.RunAsync(command, cancellationToken);
            }
            catch (CommandFailedException e)
            {
                throw BuildxFailure.Of(name, artifacts.Log, output, e);
            }
        }

        var archive = OciArchive.Open(settings.Archive);
        Check(name, archive, inputs.Platform, metadata);
        File.Delete(metadata);
        File.Move(settings.Archive, artifacts.Archive, overwrite: true);
        return archive.Digest;
    }

    /// <summary>Reads the build's secrets; each goes to buildx, and to nobody else, as a variable of its own.</summary>
    private async Task<IReadOnlyList<(string Id, string Variable, Secret Value)>> SecretsOfAsync(string name, ImageSettings image, CancellationToken cancellationToken)
    {
        var secrets = new List<(string Id, string Variable, Secret Value)>();

        // One after the other: a command may ask the operator something.
        foreach (var (id, source) in image.Secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal))
        {
            secrets.Add((id, $"CAKE_K3S_BUILD_SECRET_{secrets.Count}", await _secrets.ReadAsync($"build secret {id} of image {name}", source, _run.Settings.Root, cancellationToken)));
        }

        return secrets;
    }

    /// <summary>Writes down how the image was built and what is in it, for Sign to sign.</summary>
    private async Task StateAsync(
        BuildRecord record,
        BuildInputs inputs,
        DeployEnvironment environment,
        SourceRevision? revision,
        ImageArtifacts artifacts,
        CancellationToken cancellationToken)
    {
        var archive = OciArchive.Open(artifacts.Archive);
        var buildx = await _toolbox.RequireAsync(ToolName.Buildx, "task BuildImage", cancellationToken);
        var provenance = Provenance.Predicate(record, inputs, environment.Name, RunOrigin.Read(), revision?.Remote, buildx.Source, record.Time, _time.GetUtcNow());
        var sources = ContextFiles.Sources(ContextOf(inputs.Image), inputs.Image.Sources);
        var packages = (await BillOfMaterials.ScanAsync(archive, cancellationToken)).Union(await BillOfMaterials.ReadLocksAsync(sources, cancellationToken));
        var bill = BillOfMaterials.Document(record.Repository, record.Digest, record.CommitTime ?? DateTimeOffset.UnixEpoch, packages);
        foreach (var files in artifacts.Attestations)
        {
            var predicate = files.PredicateType == Attestation.ProvenanceType ? provenance : bill;
            await File.WriteAllTextAsync(files.Predicate, predicate.ToJsonString(Indented), cancellationToken);
        }
    }

    private static ImmutableSortedDictionary<string, string> LabelsOf(BuildRecord record)
    {
        var labels = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add(ImageSignature.ContentKeyAnnotation, record.ContentKey);
        return record is { Commit: { } commit, IsDirty: false } ? labels.Add(RevisionLabel, commit) : labels;
    }

    private static void Check(string name, OciArchive archive, string platform, string metadata)
    {
        if (archive.Config.Platform.ToString() != platform)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"image {name} was built for {archive.Config.Platform}, not for {platform}: a base image is of another architecture",
                "Look for --platform in its Dockerfile's FROM lines, and at the base image.");
        }

        var told = JsonSerializer.Deserialize(File.ReadAllBytes(metadata), ImageRecordsJson.Default.BuildxMetadata)?.Digest;
        if (told is not null && told != archive.Digest)
        {
            throw new K3sException(ExitCodes.Failed, $"image {name}: buildx says it built {told}, the archive holds {archive.Digest}", "Build it again.");
        }
    }

    private string ContextOf(ImageSettings image) => Path.GetFullPath(Path.Combine(_run.Settings.Root, image.Context));

    private string DockerfileOf(ImageSettings image) => Path.GetFullPath(Path.Combine(ContextOf(image), image.Dockerfile));
}
