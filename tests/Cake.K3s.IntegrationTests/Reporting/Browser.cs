using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;

namespace Cake.K3s.IntegrationTests.Reporting;

/// <summary>
/// A real headless Chromium with one page, driven by the DevTools protocol: the libraries for it bring browsers or runtimes of their
/// own of several hundred MB.
/// </summary>
internal sealed partial class Browser : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly JsonSerializerOptions WithoutNulls = new(JsonSerializerOptions.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly Process _process;
    private readonly DirectoryInfo _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _calls = new();
    private readonly SemaphoreSlim _sending = new(1);
    private TaskCompletionSource _loaded = new();
    private Task _receiving = Task.CompletedTask;
    private string? _session;
    private int _lastCall;

    private Browser(Process process, DirectoryInfo profile)
    {
        _process = process;
        _profile = profile;
    }

    /// <summary>What the page wrote to its console, and what the browser complained of.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    /// <summary>Every address that was asked for.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Starts it; installs Debian's package where there is none and this may be done.</summary>
    public static async Task<Browser> StartAsync()
    {
        var program = await FindAsync();
        var profile = Directory.CreateTempSubdirectory("cake-k3s-browser-");
        var start = new ProcessStartInfo(program, [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0", $"--user-data-dir={profile.FullName}", "about:blank"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var browser = new Browser(Process.Start(start)!, profile);
        try
        {
            await browser.ConnectAsync();
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Loads a file.</summary>
    public async Task OpenAsync(string file, int width, bool dark)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new { width, height = 900, deviceScaleFactor = 1, mobile = width < 600 });
        await CallAsync("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-color-scheme", value = dark ? "dark" : "light" } } });
        _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await CallAsync("Page.navigate", new { url = new Uri(file).AbsoluteUri });
        await _loaded.Task.WaitAsync(Limit);
    }

    /// <summary>The value of an expression of JavaScript.</summary>
    public async Task<T> EvaluateAsync<T>(string expression)
    {
        var answer = await CallAsync("Runtime.evaluate", new { expression, returnByValue = true });
        Assert.That(answer["exceptionDetails"], Is.Null, expression);
        return answer["result"]!["value"].Deserialize<T>(JsonSerializerOptions.Web)!;
    }

    /// <summary>Keeps a picture of the whole page with the results of the tests.</summary>
    public async Task PhotographAsync(string name)
    {
        var answer = await CallAsync("Page.captureScreenshot", new { format = "png", captureBeyondViewport = true });
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, name + ".png");
        await File.WriteAllBytesAsync(file, Convert.FromBase64String((string)answer["data"]!));
        TestContext.AddTestAttachment(file);
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _receiving;
        _socket.Dispose();
        _process.Dispose();
        _sending.Dispose();
        _profile.Delete(recursive: true);
    }

    private static async Task<string> FindAsync()
    {
        if (Find() is { } found)
        {
            return found;
        }

        if (OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && File.Exists("/usr/bin/apt-get"))
        {
            foreach (var arguments in (string[][])[["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"]])
            {
                await CliWrap.Cli.Wrap("apt-get")
                    .WithArguments(["-o", "DPkg::Lock::Timeout=300", .. arguments])
                    .WithEnvironmentVariables(variables => variables.Set("DEBIAN_FRONTEND", "noninteractive"))
                    .WithValidation(CommandResultValidation.None)
                    .ExecuteBufferedAsync();
            }
        }

        if (Find() is { } installed)
        {
            return installed;
        }

        const string Reason = "there is no Chromium, and none can be installed; put chromium on the PATH";
        if (Environment.GetEnvironmentVariable("CI") == "true")
        {
            Assert.Fail(Reason);
        }

        Assert.Ignore(Reason);
        throw new InvalidOperationException(Reason);
    }

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }, Path.Combine)
            .FirstOrDefault(File.Exists);

    private async Task ConnectAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        string? line;
        Match address;
        do
        {
            line = await _process.StandardError.ReadLineAsync(limit.Token);
            address = Address().Match(line ?? "");
        }
        while (line is not null && !address.Success);
        Assert.That(address.Success, "Chromium did not start");
        await _socket.ConnectAsync(new Uri(address.Groups[1].Value), limit.Token);
        _receiving = ReceiveAsync();
        var page = await CallAsync("Target.createTarget", new { url = "about:blank" });
        var attached = await CallAsync("Target.attachToTarget", new { targetId = (string)page["targetId"]!, flatten = true });
        _session = (string)attached["sessionId"]!;
        foreach (var domain in (string[])["Page", "Runtime", "Log", "Network"])
        {
            await CallAsync(domain + ".enable", new { });
        }
    }

    private async Task<JsonNode> CallAsync(string method, object parameters)
    {
        var id = Interlocked.Increment(ref _lastCall);
        var answer = _calls.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        var message = JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters, sessionId = _session }, WithoutNulls);
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }

        var result = await answer.Task.WaitAsync(Limit);
        Assert.That(result["error"], Is.Null, method);
        return result["result"]!;
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(buffer, CancellationToken.None);
                message.Write(buffer, 0, part.Count);
                if (part.EndOfMessage)
                {
                    Take(JsonNode.Parse(message.ToArray())!);
                    message.SetLength(0);
                }
            }
        }
        catch (Exception ended) when (ended is WebSocketException or OperationCanceledException or ObjectDisposedException or JsonException)
        {
            // The browser is closed.
        }
    }

    private void Take(JsonNode message)
    {
        if (message["id"] is { } id && _calls.TryRemove((int)id, out var call))
        {
            call.SetResult(message);
            return;
        }

        switch ((string?)message["method"])
        {
            case "Page.loadEventFired":
                _loaded.TrySetResult();
                break;
            case "Network.requestWillBeSent":
                Requests.Enqueue((string)message["params"]!["request"]!["url"]!);
                break;
            case "Log.entryAdded" or "Runtime.consoleAPICalled" or "Runtime.exceptionThrown":
                Complaints.Enqueue(message["params"]!.ToJsonString());
                break;
        }
    }

    [GeneratedRegex(@"DevTools listening on (ws://\S+)")]
    private static partial Regex Address();
}
