using System.Collections.Immutable;
using Cake.K3s.Kubernetes.Linting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;
using LibGit2Sharp;

namespace Cake.K3s.Tests.Kubernetes.Linting;

public sealed class RepositoryRulesTests
{
    private string _root = "";

    [SetUp]
    public void Create()
    {
        _root = Directory.CreateTempSubdirectory("lint-").FullName;
        Repository.Init(_root);
    }

    [TearDown]
    public void Delete() => Directory.Delete(_root, recursive: true);

    private string[] Check(params (string File, string Text)[] files)
    {
        foreach (var (file, text) in files)
        {
            var path = Path.Combine(_root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        var map = new SourceMap("manifests/app.yaml");
        var manifest = new Manifest(YamlReader.Read("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", map)[0].AsObject(), map);
        var settings = new DeploySettings
        {
            App = "shop",
            Images = new Dictionary<string, ImageSettings> { ["api"] = new() { Context = "api" } }.ToImmutableDictionary(),
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty,
            File = Path.Combine(_root, "deploy.yaml"),
        };
        return [.. RepositoryRules.Check(settings, [manifest]).Select(finding => $"{finding.Rule.Id} {finding.Place} {finding.Message}")];
    }

    [Test]
    public void Should_find_nothing_When_nothing_is_hidden()
    {
        Assert.That(Check(("manifests/app.yaml", "x"), ("api/Dockerfile", "FROM golang:1.23\nCOPY out /app"), ("api/go.mod", "module a\n\ngo 1.23.4\n")), Is.Empty);
    }

    [Test]
    public void Should_find_a_manifest_that_git_ignores()
    {
        Assert.That(Check(("manifests/app.yaml", "x"), (".gitignore", "*.yaml\n")), Is.EqualTo(new[] { "K3S016 manifests/app.yaml git ignores this manifest" }));
    }

    [Test]
    public void Should_find_a_copied_file_that_Docker_ignores()
    {
        Assert.That(
            Check(("api/Dockerfile", "FROM scratch\nCOPY out /app\n"), ("api/.dockerignore", "**\n!src\n")),
            Is.EqualTo(new[] { "K3S016 api/Dockerfile:2:1 .dockerignore hides out, which is copied here" }));
    }

    [TestCase("go.mod", "module a\n\ngo 1.24\n", "docker.io/library/golang:1.23-alpine", "the base image is golang:1.23-alpine, and go.mod asks for 1.24")]
    [TestCase("global.json", "{\"sdk\": {\"version\": \"10.0.100\"}} // x", "mcr.microsoft.com/dotnet/sdk:9.0", "the base image is dotnet/sdk:9.0, and global.json asks for 10.0.100")]
    [TestCase("package.json", "{\"engines\": {\"node\": \">=22.1\"}}", "node:20-slim", "the base image is node:20-slim, and package.json asks for 22.1")]
    public void Should_find_a_compiler_that_is_too_old(string file, string text, string image, string message)
    {
        Assert.That(Check(($"api/{file}", text), ("api/Dockerfile", $"FROM --platform=linux/amd64 {image} AS build\n")), Is.EqualTo(new[] { $"K3S017 api/Dockerfile:1:1 {message}" }));
    }
}
