using Cake.K3s.Environments;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>A real distribution registry on a free port of the loopback, with its data in a directory of its own.</summary>
internal sealed class RegistryServer : IAsyncDisposable
{
    public const string User = "tess";
    public const string Password = "opensesame";

    // bcrypt of the password above.
    private const string PasswordHash = "$2b$04$abcdefghijklmnopqrstuuFuhxWRTXIsURoluSTZ1N4tYaWGn9oOi";

    /// <summary>What a client sends that logs in with them.</summary>
    public static readonly string BasicAuthorization = "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{Password}"));

    private readonly TemporaryDirectory _directory = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private RegistryServer()
    {
    }

    public string Host { get; private set; } = "";

    /// <summary>Where blobs and manifests are.</summary>
    public string Data => _directory.File("data");

    /// <summary>Docker's configuration: empty unless a login was asked for.</summary>
    public string DockerConfig => _directory.Path;

    /// <summary>The certificate of its authority; null for one that speaks plain HTTP.</summary>
    public string? Authority { get; private init; }

    public RegistryConnection Connection => new(Host, "shop", Insecure: Authority is null, DockerConfig) { CertificateAuthority = Authority };

    /// <param name="more">Makes further parts of the registry's configuration; null for none.</param>
    /// <param name="data">Where blobs and manifests go, instead of a directory of its own.</param>
    /// <param name="certificates">What it proves itself with; null for plain HTTP.</param>
    public static async Task<RegistryServer> StartAsync(Func<TemporaryDirectory, string>? more = null, string? data = null, TestCertificates? certificates = null)
    {
        var tool = await ExternalTools.RequireAsync(ToolName.Registry);
        var server = new RegistryServer { Authority = certificates?.Authority };
        var tls = certificates is null ? "" : $", tls: {{certificate: {certificates.Certificate}, key: {certificates.Key}}}";
        var configuration = server._directory.Write("registry.yml", $$$"""
            version: 0.1
            log: {level: info, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: {{{data ?? server.Data}}}}, delete: {enabled: true}}
            http: {addr: "127.0.0.1:0", secret: test{{{tls}}} }
            {{{more?.Invoke(server._directory)}}}
            """);
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        server._running = ExternalTools.Commands.RunAsync(
            new(tool.Path, "serve", configuration)
            {
                Environment = tool.Environment,
                OnLine = line =>
                {
                    const string Mark = "listening on ";
                    if (line.Text.IndexOf(Mark, StringComparison.Ordinal) is var at and >= 0)
                    {
                        listening.TrySetResult(line.Text[(at + Mark.Length)..].Split(['"', ','])[0]);
                    }
                },
            },
            server._stop.Token);
        server.Host = await await Task.WhenAny(listening.Task, server._running.ContinueWith<string>(ended => throw ended.Exception!, TaskScheduler.Default));
        return server;
    }

    /// <summary>One that wants a user name and a password.</summary>
    public static Task<RegistryServer> StartWithPasswordAsync() => StartAsync(
        directory => $"auth: {{htpasswd: {{realm: test, path: {directory.Write("htpasswd", $"{User}:{PasswordHash}\n")}}}}}");

    /// <summary>What <c>docker login</c> would leave.</summary>
    /// <param name="user">The user.</param>
    /// <param name="password">The password.</param>
    /// <param name="host">The registry's name, where it goes by another one.</param>
    public void LogIn(string user = User, string password = Password, string? host = null) => _directory.Write(
        "config.json",
        $$$$"""{"auths":{"{{{{host ?? Host}}}}":{"auth":"{{{{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:{password}"))}}}}"}}}""");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }

        _directory.Dispose();
        _stop.Dispose();
    }
}
