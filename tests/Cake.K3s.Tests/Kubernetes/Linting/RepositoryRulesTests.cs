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

    private string[] Check(params (string File, string Text)[] files) => Check("manifests/app.yaml", image => image, files);

    private string[] Check(string source, params (string File, string Text)[] files) => Check(source, image => image, files);

    private string[] Check(Func<ImageSettings, ImageSettings> change, params (string File, string Text)[] files) => Check("manifests/app.yaml", change, files);

    private string[] Check(string source, Func<ImageSettings, ImageSettings> change, (string File, string Text)[] files)
    {
        foreach (var (file, text) in files)
        {
            var path = Path.Combine(_root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        var map = new SourceMap(source);
        var manifest = new Manifest(YamlReader.Read("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", map)[0].AsObject(), map);
        var settings = new DeploySettings
        {
            App = "shop",
            Images = new Dictionary<string, ImageSettings> { ["api"] = change(new() { Context = "api" }) }.ToImmutableDictionary(),
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

    [Test]
    public void Should_find_a_copied_file_that_git_ignores_When_nothing_makes_it()
    {
        Assert.That(
            Check(("api/Dockerfile", "FROM scratch\nCOPY \\\n  a.conf secret/ \\\n  /app/\n"), ("api/a.conf", "x"), ("api/secret/key", "x"), (".gitignore", "secret/\n")),
            Is.EqualTo(new[] { "K3S016 api/Dockerfile:2:1 git ignores secret/, which is copied here" }));
    }

    [Test]
    public void Should_believe_that_the_command_makes_what_git_ignores_When_an_image_has_one()
    {
        Assert.That(Check(image => image with { Prepare = "make out" }, ("api/Dockerfile", "FROM scratch\nCOPY out /\n"), ("api/out/x", "x"), (".gitignore", "out/\n")), Is.Empty);
    }

    [Test]
    public void Should_find_a_file_that_the_build_needs_When_all_is_copied_and_Docker_ignores_it()
    {
        Assert.That(
            Check(("api/Dockerfile", "FROM golang:1.24\nWORKDIR /src\nCOPY . .\n"), ("api/go.mod", "module a\n\ngo 1.24\n"), ("api/go.sum", ""), ("api/.dockerignore", "*.sum\n")),
            Is.EqualTo(new[] { "K3S016 api/Dockerfile:3:1 .dockerignore hides go.sum, which the build needs" }));
    }

    [Test]
    public void Should_find_a_file_of_a_kustomization_that_git_ignores()
    {
        Assert.That(
            Check("manifests (built)", ("manifests/kustomization.yaml", "x"), ("manifests/patches/memory.yaml", "x"), (".gitignore", "memory.yaml\n")),
            Is.EqualTo(new[] { "K3S016 manifests/patches/memory.yaml git ignores this manifest" }));
    }

    [TestCase("FROM --platform=linux/arm64 golang:1.24 AS build\nFROM scratch\n", null)]
    [TestCase("FROM --platform=$TARGETPLATFORM debian:13\n", null)]
    [TestCase("FROM --platform=linux/amd64 debian:13\n", null)]
    [TestCase("FROM golang:1.24 AS build\nFROM --platform=linux/arm64 debian:13\n", "K3S011 api/Dockerfile:2:1 its last stage builds on debian:13 for linux/arm64")]
    [TestCase("ARG BASE=arm64v8/debian:13\nFROM ${BASE}\n", "K3S011 api/Dockerfile:2:1 its last stage builds on arm64v8/debian:13 for linux/arm64v8")]
    public void Should_find_an_image_that_is_for_other_machines(string dockerfile, string? finding)
    {
        Assert.That(Check(("api/Dockerfile", dockerfile)), Is.EqualTo(finding is null ? [] : new[] { finding }));
    }

    [TestCase("ARG GO=1.22\nFROM golang:${GO}-alpine\n", "K3S017 api/Dockerfile:2:1 the base image is golang:1.22-alpine, and go.mod asks for 1.24")]
    [TestCase("RUN <<EOF\nFROM golang:1.22\nEOF\nFROM golang:1.24\n", null)]
    [TestCase("FROM localhost:5000/golang:1.23\n", "K3S017 api/Dockerfile:1:1 the base image is golang:1.23, and go.mod asks for 1.24")]
    [TestCase("FROM golang:alpine\nFROM mygolang:1.2\n", null)]
    public void Should_read_the_base_image_as_Docker_does(string dockerfile, string? finding)
    {
        Assert.That(Check(("api/go.mod", "module a\n\ngo 1.24\n"), ("api/Dockerfile", dockerfile)), Is.EqualTo(finding is null ? [] : new[] { finding }));
    }

    [TestCase("App.csproj", "<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>", "mcr.microsoft.com/dotnet/aspnet:9.0-noble-chiseled", "the base image is dotnet/aspnet:9.0-noble-chiseled, and App.csproj asks for 10.0")]
    [TestCase("src/App.csproj", "<TargetFrameworks>net8.0;net10.0-windows</TargetFrameworks>", "mcr.microsoft.com/dotnet/sdk:9.0", "the base image is dotnet/sdk:9.0, and src/App.csproj asks for 10.0")]
    [TestCase("package.json", "{\"engines\": {\"node\": \"^22.3 || ^20.11\"}}", "node:18", "the base image is node:18, and package.json asks for 20.11")]
    [TestCase("go.mod", "module a\n\ngo 1.24\n", "docker.io/library/golang:1.23-alpine", "the base image is golang:1.23-alpine, and go.mod asks for 1.24")]
    [TestCase("global.json", "{\"sdk\": {\"version\": \"10.0.100\"}} // x", "mcr.microsoft.com/dotnet/sdk:9.0", "the base image is dotnet/sdk:9.0, and global.json asks for 10.0.100")]
    [TestCase("package.json", "{\"engines\": {\"node\": \">=22.1\"}}", "node:20-slim", "the base image is node:20-slim, and package.json asks for 22.1")]
    public void Should_find_a_compiler_that_is_too_old(string file, string text, string image, string message)
    {
        Assert.That(Check(($"api/{file}", text), ("api/Dockerfile", $"FROM --platform=linux/amd64 {image} AS build\n")), Is.EqualTo(new[] { $"K3S017 api/Dockerfile:1:1 {message}" }));
    }
}
