using System.Collections.Immutable;
using Cake.Core;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>Makes the plan of this run: shows it (target Plan), or gives it to the deploy.</summary>
public sealed class Planner
{
    private readonly PipelineRun _run;
    private readonly ManifestLoader _manifests;
    private readonly ClusterConnector _connector;
    private readonly IConsole _console;
    private readonly IReporter _reporter;
    private readonly ISecretMask _mask;
    private readonly TimeProvider _time;
    private readonly ImageRevisions _revisions;

    internal Planner(
        PipelineRun run,
        ManifestLoader manifests,
        ClusterConnector connector,
        IConsole console,
        IReporter reporter,
        ISecretMask mask,
        TimeProvider time,
        ImageRevisions revisions)
    {
        _run = run;
        _manifests = manifests;
        _connector = connector;
        _console = console;
        _reporter = reporter;
        _mask = mask;
        _time = time;
        _revisions = revisions;
    }

    /// <summary>Shows what a deploy would change, and writes it to the file that <c>--out</c> names.</summary>
    /// <exception cref="K3sException">The cluster refuses something of it (exit code 1); the plan is shown and written all the same.</exception>
    public async Task ShowAsync()
    {
        var (plan, api) = await MakeAsync();
        plan = plan with { Commits = await CommitsAsync(plan, api) };
        Show(plan);
        _reporter.Report(new PlanMade(PlanMarkdown.Write(plan)));
        if (_run.Options.PlanOut is { } file)
        {
            await File.WriteAllTextAsync(file, _mask.Hide(FrozenPlan.Freeze(plan, _time.GetUtcNow()).Write()), _run.Cancellation);
            _reporter.Step("plan", $"written to {file}; --target=Deploy --plan={file} applies exactly this");
        }

        plan.ThrowIfRefused();
    }

    /// <summary>Checks that the plan that <c>--plan</c> names still holds, before the first task of a deploy changes anything.</summary>
    /// <exception cref="K3sException">It does not; each difference is named.</exception>
    public async Task CheckAsync()
    {
        if (_run.Options.ShowPlan)
        {
            throw new K3sException(ExitCodes.BadInput, "--plan names no file", "--target=Plan shows what a deploy would change; --plan=FILE applies exactly that plan.");
        }

        if (_run.Options.PlanFile is not null)
        {
            await CheckAsync((await MakeAsync()).Plan, _run.Cancellation);
        }
    }

    /// <summary>Makes the plan of a deploy.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="manifests">The app's manifests.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">The cluster refuses something of it, or it is not the one that <c>--plan</c> names.</exception>
    public async Task<DeployPlan> MakeAsync(ClusterApi api, ManifestSet manifests, CancellationToken cancellationToken)
    {
        var plan = await RehearseAsync(api, manifests, cancellationToken);
        await CheckAsync(plan, cancellationToken);
        return plan;
    }

    private async Task CheckAsync(DeployPlan plan, CancellationToken cancellationToken)
    {
        if (_run.Options.PlanFile is { } file)
        {
            FrozenPlan.Check(await ReadAsync(file, cancellationToken), plan);
        }

        plan.ThrowIfRefused();
    }

    /// <summary>What images of the plan were built from: as they say themselves, else as the first release with them was recorded.</summary>
    private async Task<ImmutableDictionary<string, string>> CommitsAsync(DeployPlan plan, ClusterApi api)
    {
        var images = plan.ImageChanges.SelectMany(change => (string?[])[change.Before, change.After]).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var found = await _revisions.FindAsync(images, _run.Cancellation);
        if (images.All(found.ContainsKey))
        {
            return found;
        }

        var releases = await new ReleaseStore(api, _run.Settings.App).ListAsync(_run.Cancellation);
        var recorded = from release in releases.Reverse()
                       where release.Commit is not null
                       from image in release.Images.Values
                       where images.Contains(image)
                       select (Image: image, Commit: release.Commit + (release.IsDirty ? "+changes" : ""));
        return recorded.DistinctBy(pair => pair.Image).Where(pair => !found.ContainsKey(pair.Image)).Aggregate(found, (all, pair) => all.Add(pair.Image, pair.Commit));
    }

    private async Task<(DeployPlan Plan, ClusterApi Api)> MakeAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var images = ReleaseImages.ReadBuilt(_run.Options.ArtifactsDirectory, _run.Settings, environment);
        var manifests = await _manifests.LoadAsync(ManifestInputs.ForDeploy(_run.Settings, environment, images), _run.Cancellation);
        var api = await _connector.OpenAsync(environment.Cluster, _run.Cancellation);
        return (await RehearseAsync(api, manifests, _run.Cancellation), api);
    }

    private Task<DeployPlan> RehearseAsync(ClusterApi api, ManifestSet manifests, CancellationToken cancellationToken) => Rehearsal.PlanAsync(
        api, new(_run.Settings.App, api.Namespace), manifests.Objects, _run.Options.ForceConflicts, keepUnchanged: IsFrozen, cancellationToken);

    /// <summary>Whether the plan is written as a document, or compared with one: then what is there of unchanged objects counts too.</summary>
    private bool IsFrozen => _run.Options is { PlanOut: not null } or { PlanFile: not null } or { PlanFormat: PlanFormat.Json };

    private static async Task<PlanDocument> ReadAsync(string file, CancellationToken cancellationToken) => File.Exists(file)
        ? PlanDocument.Read(await File.ReadAllTextAsync(file, cancellationToken), file)
        : throw new K3sException(ExitCodes.BadInput, $"there is no plan {file}", $"make one with --target=Plan --out={file}");

    private void Show(DeployPlan plan)
    {
        var text = _run.Options.PlanFormat switch
        {
            PlanFormat.Markdown => PlanMarkdown.Write(plan),
            PlanFormat.Json => FrozenPlan.Freeze(plan, _time.GetUtcNow()).Write(),
            _ => string.Join(Environment.NewLine, PlanText.Lines(plan)),
        };
        _console.WriteLine("{0}", _mask.Hide(text));
    }
}
