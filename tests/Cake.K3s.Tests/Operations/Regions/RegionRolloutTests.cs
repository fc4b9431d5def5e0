using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Operations.Regions;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Operations.Regions;

/// <summary>The order of regions, with clusters that the test plays.</summary>
public sealed class RegionRolloutTests
{
    private const string Api = "gitea.example.com/shop/api@sha256:1111";
    private readonly RecordingReporter _reporter = new();
    private Clusters _clusters = null!;

    [SetUp]
    public void Start() => _clusters = new() { Releases = { ["eu"] = Verified(Api) } };

    private Task RunAsync(params ImmutableArray<string> regions)
    {
        var environments = new[] { "eu", "us", "asia" }.ToImmutableDictionary(name => name, name => new EnvironmentSettings { Name = name });
        var own = environments["eu"] with { Regions = regions };
        var settings = new DeploySettings { App = "shop", File = "/deploy.yaml", Images = ImmutableDictionary<string, ImageSettings>.Empty, Environments = environments.SetItem("eu", own) };
        var environment = new DeployEnvironment
        {
            Name = "eu",
            Settings = own,
            Cluster = new("/k", null, "shop"),
            Registry = new("r", "", false, "/"),
            Builder = new(null, null),
            SigningKey = new("/k", "/k.pub", null),
        };
        var run = new PipelineRun(new RunOptions { Root = "/", SettingsFile = "/deploy.yaml", Environment = "eu" }, settings, environment);
        return new RegionRollout(run, _clusters, _reporter).RunAsync();
    }

    [Test]
    public async Task Should_VerifyEachRegionBeforeTheNext_When_AllGoesWell()
    {
        await RunAsync("us", "asia");

        Assert.That(_clusters.Log, Is.EqualTo(["us deployed", "us verified", "asia deployed", "asia verified"]));
        Assert.That(_clusters.Releases.Values.Select(release => release.Images["api"]), Is.All.EqualTo(Api));
    }

    [Test]
    public async Task Should_NotBeginTheNextRegion_When_OneFails()
    {
        _clusters.Broken.Add("us");

        var failure = Assert.ThrowsAsync<K3sException>(() => RunAsync("us", "asia"))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RolledBack));
        Assert.That(failure.Summary, Is.EqualTo("region us: the rollout failed; not begun: asia"));
        Assert.That(_clusters.Releases.Keys, Has.None.EqualTo("asia"));

        _clusters.Broken.Clear();
        await RunAsync("us", "asia");
        Assert.That(_clusters.Releases.Keys, Is.SupersetOf(new[] { "eu", "us", "asia" }));
    }

    [Test]
    public async Task Should_DeployNothingAgain_When_AllRegionsHaveIt()
    {
        await RunAsync("us", "asia");
        _clusters.Log.Clear();

        await RunAsync("us", "asia");

        Assert.That(_clusters.Log, Is.Empty);
    }

    [Test]
    public void Should_NotLeaveTheFirstRegion_When_ItsReleaseIsNotVerified()
    {
        _clusters.Releases["eu"] = Verified(Api) with { State = ReleaseState.Failed };

        Assert.That(() => RunAsync("us"), Throws.TypeOf<K3sException>().With.Message.Contains("only a verified one"));
        Assert.That(_clusters.Log, Is.Empty);
    }

    [Test]
    public void Should_Fail_When_SomebodyElseDeployedThereMeanwhile()
    {
        _clusters.Instead = Verified("gitea.example.com/shop/api@sha256:2222");

        Assert.That(() => RunAsync("us"), Throws.TypeOf<K3sException>().With.Message.Contains("is not the release"));
    }

    [TestCase("amerika", "no environment")]
    [TestCase("eu", "named twice")]
    [TestCase("us,us", "named twice")]
    [TestCase("", "no other regions")]
    public void Should_RefuseTheSettings_When_ARegionIsNone(string regions, string message) => Assert.That(
        () => RunAsync([.. regions.Split(',', StringSplitOptions.RemoveEmptyEntries)]),
        Throws.TypeOf<K3sException>().With.Message.Contains(message).And.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.BadInput));

    [TestCase("a/api@sha256:1", "b/api@sha256:1", true)]
    [TestCase("a/api@sha256:1", "a/api@sha256:2", false)]
    public void Should_CompareDigests_When_RegistriesDiffer(string one, string other, bool same) => Assert.That(
        RegionRollout.SameImages(new Dictionary<string, string> { ["api"] = one }, new Dictionary<string, string> { ["api"] = other }), Is.EqualTo(same));

    private static Release Verified(string image) => new()
    {
        Number = 1,
        State = ReleaseState.Verified,
        Content = "c",
        By = "ann",
        StartedAt = DateTimeOffset.UnixEpoch,
        Images = ImmutableSortedDictionary<string, string>.Empty.Add("api", image),
    };

    private sealed class Clusters : IRegionDeployer
    {
        public Dictionary<string, Release> Releases { get; } = [];

        public HashSet<string> Broken { get; } = [];

        public List<string> Log { get; } = [];

        public Release? Instead { get; set; }

        public Task<Release?> NewestAsync(string environment, CancellationToken cancellationToken) => Task.FromResult(Releases.GetValueOrDefault(environment));

        public Task DeployAsync(string environment, Release like, CancellationToken cancellationToken)
        {
            if (Releases.TryGetValue(environment, out var known) && known.State == ReleaseState.Verified && RegionRollout.SameImages(known.Images, like.Images))
            {
                return Task.CompletedTask;
            }

            Log.Add(environment + " deployed");
            if (Broken.Contains(environment))
            {
                throw new K3sException(ExitCodes.RolledBack, "the rollout failed", "look at it");
            }

            Releases[environment] = Instead ?? like with { Number = 7 };
            Log.Add(environment + " verified");
            return Task.CompletedTask;
        }
    }
}
