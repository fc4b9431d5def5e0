using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using Cake.K3s.Images;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Benchmarks;

/// <summary>
/// How long BuildImage, Sign and Push take together for three images of 500 files each of which nothing changed since they were
/// pushed, to a registry on this machine. Needs docker-registry on PATH.
/// </summary>
internal static class UnchangedBenchmark
{
    private const int Rounds = 9;
    private const int Files = 500;

    private static readonly ImmutableArray<string> Images = ["api", "admin", "worker"];

    public static async Task<int> RunAsync()
    {
        var root = Directory.CreateTempSubdirectory("cake-k3s-bench-").FullName;
        try
        {
            await using var server = await EmptyRegistry.StartAsync();
            using var app = new SignedApp(root, server.Host, Images);
            foreach (var image in Images)
            {
                await PrepareAsync(app, image);
            }

            await app.Pusher.PushAsync();
            var times = new List<TimeSpan>();
            for (var round = 0; round <= Rounds; round++)
            {
                var start = Stopwatch.GetTimestamp();
                await PassAsync(app);
                times.Add(Stopwatch.GetElapsedTime(start));
            }

            MarkdownTable.Write(
                [$"BuildImage, Sign and Push of {Images.Length} unchanged images of {Files} files", "seconds"],
                [
                    ["the first time in a process", MarkdownTable.Seconds(times[0])],
                    [$"median of {Rounds}", MarkdownTable.Seconds(times.Skip(1).Order().ElementAt(Rounds / 2))],
                ]);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task PassAsync(SignedApp app)
    {
        var mask = new SecretMask();
        var commands = new CommandRunner(mask, TimeProvider.System);
        var secrets = new SecretReader(new(_ => null), commands, mask);
        await new ImageBuilder(app.Run, new NoTools(), commands, SignedApp.Clients(mask), secrets, Silence.Instance, TimeProvider.System).BuildAsync();
        await new ImageSigner(app.Run, new NoTools(), commands, Silence.Instance).SignAsync();
        await app.Pusher.PushAsync();
    }

    private static async Task PrepareAsync(SignedApp app, string image)
    {
        var settings = app.Run.Settings;
        var context = Directory.CreateDirectory(Path.Combine(settings.Root, image)).FullName;
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), "FROM scratch\nCOPY . /\n");
        for (var i = 0; i < Files; i++)
        {
            await File.WriteAllBytesAsync(Path.Combine(context, $"file{i}"), RandomNumberGenerator.GetBytes(10_000));
        }

        var inputs = new BuildInputs(settings.Images[image], "linux/amd64", ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        var digest = TestArchive.Write(app.ArtifactsOf(image).Archive, 100_000);
        app.Sign(image, digest, await ContentKey.ComputeAsync(settings.Root, inputs, default));
    }

    private sealed class NoTools : IToolbox
    {
        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) =>
            throw new InvalidOperationException($"{neededBy} wants {tool}, and nothing changed");
    }
}
