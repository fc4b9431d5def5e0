using Cake.K3s.Forges;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Forges;

public sealed class ForgeJobTests
{
    private readonly Dictionary<string, string?> _variables = [];

    [SetUp]
    public void BeInAJob()
    {
        _variables.Clear();
        _variables["GITHUB_ACTIONS"] = "true";
        _variables["GITHUB_SERVER_URL"] = "https://git.example.com";
        _variables["GITHUB_REPOSITORY"] = "ann/notes";
        _variables["GITHUB_SHA"] = "abc";
        _variables["GITHUB_RUN_ID"] = "88";
        _variables["GITHUB_RUN_NUMBER"] = "3";
    }

    [TestCase("true", null, "https://git.example.com/api/v1/", "https://git.example.com/ann/notes/actions/runs/3")]
    [TestCase("true", "https://git.example.com/sub/api/v1", "https://git.example.com/sub/api/v1/", "https://git.example.com/ann/notes/actions/runs/3")]
    [TestCase(null, null, "https://api.github.com/", "https://git.example.com/ann/notes/actions/runs/88")]
    public void Should_FindServerAndPage(string? gitea, string? api, string expectedApi, string page)
    {
        _variables["GITEA_ACTIONS"] = gitea;
        _variables["GITHUB_API_URL"] = api;

        var job = Find()!;

        Assert.That(job.Api, Is.EqualTo(new Uri(expectedApi)));
        Assert.That(job.Page, Is.EqualTo(new Uri(page)));
        Assert.That((job.Owner, job.Repository, job.Commit, job.PullRequest, job.Token), Is.EqualTo(("ann", "notes", "abc", (int?)null, (Secret?)null)));
    }

    [TestCase("refs/pull/7/head")]
    [TestCase("refs/pull/7/merge")]
    public void Should_NameThePullRequestsHead_When_ItIsForOne(string reference)
    {
        using var directory = new TemporaryDirectory();
        _variables["GITHUB_REF"] = reference;
        _variables["GITHUB_EVENT_PATH"] = directory.Write("event.json", """{"pull_request": {"head": {"sha": "def"}}}""");

        Assert.That((Find()!.PullRequest, Find()!.Commit), Is.EqualTo(((int?)7, "def")));
    }

    [TestCase("not json")]
    [TestCase("""{"pull_request": 1}""")]
    public void Should_TakeTheCheckedOutCommit_When_TheEventCannotBeRead(string text)
    {
        using var directory = new TemporaryDirectory();
        _variables["GITHUB_REF"] = "refs/pull/7/head";
        _variables["GITHUB_EVENT_PATH"] = directory.Write("event.json", text);

        Assert.That(Find()!.Commit, Is.EqualTo("abc"));
    }

    [TestCase("GITHUB_SERVER_URL")]
    [TestCase("GITHUB_REPOSITORY")]
    [TestCase("GITHUB_SHA")]
    [TestCase("GITHUB_ACTIONS")]
    public void Should_FindNoJob_When_AVariableIsMissing(string name)
    {
        _variables.Remove(name);

        Assert.That(Find(), Is.Null);
    }

    [Test]
    public void Should_NotShowTheToken_When_ItIsPrinted()
    {
        _variables["GITEA_TOKEN"] = "top-secret";

        Assert.That(Find()!.ToString(), Does.Not.Contain("top-secret"));
    }

    private ForgeJob? Find() => ForgeJob.Find(new EnvironmentVariables(_variables.GetValueOrDefault));
}
