using System.Text.RegularExpressions;
using Cake.K3s.IntegrationTests.Sandbox;
using CliWrap.Buffered;

namespace Cake.K3s.IntegrationTests.Pipeline;

/// <summary>
/// A copy of the sample app in a repository of its own, with a sandbox of its own, driven as an operator drives it: by command lines.
/// </summary>
internal sealed partial class SampleApp : IAsyncDisposable
{
    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromSeconds(30) };

    private SampleApp(string root) => Root = root;

    public string Root { get; }

    /// <summary>The api's address from outside; known after the first deploy.</summary>
    public Uri? Health { get; private set; }

    public bool HasSandbox => Directory.Exists(Path.Combine(Root, ".sandbox"));

    /// <summary>Copies the sample. Its checks are quick ones: the sample's own tests are what one of the tests puts back.</summary>
    public static async Task<SampleApp> CopyAsync()
    {
        RemoveAbandoned();
        var app = new SampleApp(Directory.CreateTempSubdirectory($"cake-k3s-app-{Environment.ProcessId}-").FullName);
        foreach (var part in (string[])["samples/honeydue", "manifests/app"])
        {
            Copy(Path.Combine(TestSandbox.RepositoryRoot, part), Path.Combine(app.Root, part));
        }

        foreach (var file in (string[])["deploy.yaml", ".gitignore"])
        {
            File.Copy(Path.Combine(TestSandbox.RepositoryRoot, file), app.InRoot(file));
        }

        app.Replace("deploy.yaml", "ingressPort: 8080", "ingressPort: 0");
        app.Replace("deploy.yaml", "- dotnet test samples/honeydue/tests --nologo", "- test -d samples/honeydue/tests");
        Directory.CreateDirectory(Path.Combine(TestSandbox.RepositoryRoot, ".tools"));
        Directory.CreateSymbolicLink(app.InRoot(".tools"), Path.Combine(TestSandbox.RepositoryRoot, ".tools"));
        await app.GitAsync("init", "-q");
        await app.GitAsync("add", "-A");
        await app.GitAsync("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-qm", "sample");
        return app;
    }

    /// <summary>A copy whose first release serves.</summary>
    public static async Task<SampleApp> DeployedAsync()
    {
        TestSandbox.Require();
        var app = await CopyAsync();
        var run = await app.RunAsync("--target=Deploy");
        Assert.That(run.ExitCode, Is.Zero, run.Output);
        return app;
    }

    /// <summary>Runs the host to its end.</summary>
    public async Task<FinishedRun> RunAsync(params string[] arguments)
    {
        using var running = Start(arguments);
        var finished = await running.EndAsync();
        if (AddressLine().Match(finished.Output) is { Success: true } address)
        {
            Health = new Uri(address.Groups[1].Value);
        }

        return finished;
    }

    /// <summary>Runs the host and kills it (-9) as soon as a line of its output matches.</summary>
    /// <returns>Whether the line came; otherwise the run has ended by itself.</returns>
    public async Task<bool> KillAtAsync(Regex line, params string[] arguments)
    {
        using var running = Start(arguments);
        var seen = running.WhenAsync(line);
        if (await Task.WhenAny(seen, running.EndAsync()) == seen)
        {
            running.Kill();
        }

        await running.EndAsync();
        return seen.IsCompleted;
    }

    /// <summary>Replaces text in a file; what is not there fails the test instead of leaving the file as it is.</summary>
    public void Replace(string file, string old, string with)
    {
        var text = File.ReadAllText(InRoot(file));
        Assert.That(text, Does.Contain(old), $"{file} is not what this test expects");
        File.WriteAllText(InRoot(file), text.Replace(old, with, StringComparison.Ordinal));
    }

    public void Write(string file, string text) => File.WriteAllText(InRoot(file), text);

    /// <summary>Puts every file back to what the copy began with.</summary>
    public async Task RestoreAsync()
    {
        await GitAsync("checkout", "-q", "--", ".");
        await GitAsync("clean", "-qfd");
    }

    /// <summary>Brings a folder of this repository into the copy.</summary>
    public void Copy(string folder) => Copy(Path.Combine(TestSandbox.RepositoryRoot, folder), InRoot(folder));

    /// <summary>Asks the api through the ingress how it is.</summary>
    public async Task<int> StatusAsync()
    {
        using var response = await SendAsync(HttpMethod.Get, Health!.AbsolutePath);
        return (int)response.StatusCode;
    }

    /// <summary>Asks the api through the ingress, and wants an answer.</summary>
    public async Task<string> AskAsync(HttpMethod method, string path, string? json = null)
    {
        using var response = await SendAsync(method, path, json);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(method, new UriBuilder(Health!) { Host = "127.0.0.1", Path = path }.Uri);

        // Browsers and curl know that every name below localhost is this machine; the system's resolver need not.
        request.Headers.Host = Health!.Authority;
        if (json is not null)
        {
            request.Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        }

        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        if (HasSandbox)
        {
            await RunAsync("--target=SandboxDown", "--purge");
        }

        Directory.Delete(Root, recursive: true);
    }

    private RunningHost Start(string[] arguments) => RunningHost.Start(Root, arguments);

    private string InRoot(string file) => Path.Combine(Root, file);

    private Task GitAsync(params string[] arguments) =>
        CliWrap.Cli.Wrap("git").WithArguments(arguments).WithWorkingDirectory(Root).ExecuteBufferedAsync();

    // A test process that was killed leaves its copy; without it the sandbox's daemon ends by itself.
    private static void RemoveAbandoned()
    {
        foreach (var directory in Directory.GetDirectories(Path.GetTempPath(), "cake-k3s-app-*"))
        {
            var owner = int.Parse(Path.GetFileName(directory).Split('-')[3]);
            if (!Directory.Exists($"/proc/{owner}"))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var directory in Directory.GetDirectories(from).Where(path => Path.GetFileName(path) is not ("bin" or "obj" or "out")))
        {
            Copy(directory, Path.Combine(to, Path.GetFileName(directory)));
        }
    }

    [GeneratedRegex(@"curl -fsS (http://api\.\S+)")]
    private static partial Regex AddressLine();
}
