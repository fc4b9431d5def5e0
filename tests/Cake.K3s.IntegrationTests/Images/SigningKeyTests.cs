using System.Collections.Concurrent;
using Cake.K3s.IntegrationTests.Images.Fixtures;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>Key pairs by real cosign: made, replaced, and what they are good for at each step.</summary>
internal sealed class SigningKeyTests
{
    private RegistryServer _server;
    private App _app;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await RegistryServer.StartAsync();
        _app = App.Create(_server.Connection, "api");
    }

    [TearDown]
    public async Task StopAsync()
    {
        _app?.Dispose();
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_make_a_pair_that_signs_and_verifies_When_there_is_none()
    {
        await _app.KeyPairs.CreateAsync();
        var digest = _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();

        await _app.CheckAsync($"{_app.RepositoryOf("api")}@{digest}");
        Assert.That(Directory.EnumerateDirectories(_app.Root, ".cosign-*"), Is.Empty);
    }

    [Test]
    public async Task Should_refuse_When_there_is_a_key_already()
    {
        await _app.KeyPairs.CreateAsync();

        Assert.That(_app.KeyPairs.CreateAsync, Throws.TypeOf<K3sException>().With.Message.Contains("SignKeyRotate"));
    }

    [Test]
    public async Task Should_accept_both_keys_and_add_the_new_signature_until_the_old_key_is_deleted_When_rotated()
    {
        await _app.KeyPairs.CreateAsync();
        var digest = _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        var image = $"{_app.RepositoryOf("api")}@{digest}";

        await _app.KeyPairs.RotateAsync();
        Assert.That(_app.CheckAsync(image).Wait(10_000), Is.True, "the old signature counts");
        Assert.That((await _app.CosignVerifyAsync(image)).ExitCode, Is.Not.Zero, "only the old key has signed");

        _app.Artifacts("api").Write(_app.Artifacts("api").ReadBuild() with { InRegistry = true, NeedsNewSignature = true });
        await _app.SignAsync();
        await _app.PushAsync();
        Assert.That((await _app.CosignVerifyAsync(image)).ExitCode, Is.Zero, "the new key has signed too");
        Assert.That((await _app.CosignVerifyAsync(image, "cosign.previous.pub")).ExitCode, Is.Zero, "the old signature is still there");

        File.Delete(_app.Files.File("cosign.previous.pub"));
        await _app.CheckAsync(image);
    }

    [Test]
    public async Task Should_refuse_to_rotate_again_When_the_last_rotation_has_not_ended()
    {
        await _app.KeyPairs.CreateAsync();
        await _app.KeyPairs.RotateAsync();

        Assert.That(_app.KeyPairs.RotateAsync, Throws.TypeOf<K3sException>().With.Message.Contains("cosign.previous.pub"));
    }

    [Test]
    [Platform("Linux")]
    public async Task Should_show_the_password_in_no_argument_list_When_a_key_is_made_and_used()
    {
        using var stop = new CancellationTokenSource();
        var found = new ConcurrentBag<string>();
        var sampling = Task.Run(() =>
        {
            var samples = 0;
            while (!stop.IsCancellationRequested)
            {
                foreach (var process in Directory.EnumerateDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0])))
                {
                    samples++;
                    if (TryRead(Path.Combine(process, "cmdline")).Contains(App.KeyPassword, StringComparison.Ordinal))
                    {
                        found.Add(process);
                    }
                }
            }

            return samples;
        });

        await _app.KeyPairs.CreateAsync();
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        await stop.CancelAsync();

        Assert.That(await sampling, Is.GreaterThan(100));
        Assert.That(found, Is.Empty);
    }

    private static string TryRead(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has ended.
            return "";
        }
    }
}
