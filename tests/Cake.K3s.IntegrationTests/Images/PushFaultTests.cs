using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cake.K3s.Images;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>Sign and Push against the real distribution registry when something is wrong: it succeeds in the end, or says what is wrong, and tells no secret.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[Parallelizable(ParallelScope.All)]
[Platform("Linux")]
internal sealed class PushFaultTests : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => _key.Dispose();

    [Test]
    public async Task Should_push_and_sign_When_every_third_request_answers_500()
    {
        await using var server = await RegistryServer.StartAsync();
        await using var proxy = await RegistryProxy.StartAsync(server);

        // The same request is refused every other time at the most: beside another image's requests one try could meet each third one for ever.
        var met = new ConcurrentDictionary<string, int>();
        proxy.Fault = (context, number) =>
        {
            context.Response.StatusCode = 500;
            var request = $"{context.Request.Method} {(context.Request.Query["digest"] is [{ } digest] ? digest : context.Request.Path)}";
            return Task.FromResult(number % 3 == 0 && met.AddOrUpdate(request, 1, (_, times) => times + 1) % 2 == 1);
        };
        using var app = App.Create(proxy.Connection, "api", "worker");

        var digest = await PushAsync(app, 300_000);

        await SeeSignedAsync(server, app, digest);
    }

    [Test]
    public async Task Should_push_and_sign_When_the_connection_is_cut_in_half_of_every_blob_the_first_time()
    {
        await using var server = await RegistryServer.StartAsync();
        await using var proxy = await RegistryProxy.StartAsync(server);
        var cut = new HashSet<string>();
        proxy.CutBodyAfter = context => context.Request.ContentLength > 50_000 && cut.Add(context.Request.Query["digest"]!) ? context.Request.ContentLength / 2 : null;
        using var app = App.Create(proxy.Connection, "api");

        var digest = await PushAsync(app, 200_000, 300_000, 400_000);

        Assert.That(cut, Has.Count.EqualTo(3));
        await SeeSignedAsync(server, app, digest);
    }

    [Test]
    public async Task Should_say_so_and_leave_no_tag_and_complete_later_When_the_registrys_disk_is_full()
    {
        var mount = Directory.CreateTempSubdirectory("cake-k3s-full-").FullName;
        await MountAsync("-t", "tmpfs", "-o", "size=2m", "tmpfs", mount);
        try
        {
            await using var server = await RegistryServer.StartAsync(data: mount);
            using var app = App.Create(server.Connection, "api");

            Assert.That(() => PushAsync(app, 1_000_000, 3_000_000), Throws.TypeOf<K3sException>().With.Message.Contains("its disk is full"));
            using (var client = Registries.Open(server.Connection))
            {
                Assert.That(await client.FindDigestAsync("shop/api", "key-1", default), Is.Null);
            }

            await MountAsync("-o", "remount,size=20m", mount);
            await app.PushAsync();
            await SeeSignedAsync(server, app, app.Artifacts("api").ReadBuild().Digest);
        }
        finally
        {
            await ExternalTools.Commands.RunAsync(new("umount", mount), default);
            Directory.Delete(mount);
        }
    }

    [Test]
    public async Task Should_go_on_with_new_tokens_When_each_expires_in_the_middle_of_the_upload()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var server = await RegistryServer.StartAsync(_ => tokens.Configuration);
        await using var proxy = await RegistryProxy.StartAsync(server);
        server.LogIn(host: proxy.Host);
        var refused = 0;
        proxy.Answered = (request, status) => refused += status == 401 && request.Headers.Authorization.Count > 0 ? 1 : 0;

        // A slow line: the upload takes longer than a token is good for.
        proxy.Fault = async (context, _) =>
        {
            await Task.Delay(context.Request.Method is "PUT" or "PATCH" ? 300 : 0);
            return false;
        };
        using var app = App.Create(proxy.Connection, "api");

        var digest = await PushAsync(app, [.. Enumerable.Repeat(10_000, 30)]);

        Assert.That(refused, Is.Positive, "no token expired");
        using var client = Registries.Open(proxy.Connection);
        Assert.That(await client.FindDigestAsync("shop/api", "key-1", default), Is.EqualTo(digest));
    }

    [Test]
    public async Task Should_push_over_TLS_When_the_authority_of_the_registry_is_named_and_say_so_When_not()
    {
        using var certificates = new TestCertificates();
        await using var server = await RegistryServer.StartAsync(certificates: certificates);
        using var app = await App.CreateAsync(server.Connection with { CertificateAuthority = null }, "api");
        app.WriteBuild("api", "1", 10_000);
        await app.SignAsync();
        Assert.That(app.PushAsync, Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.NextStep)).Contains("registry.certificateAuthority"));

        app.Environment = app.Environment with { Registry = server.Connection };
        await app.PushAsync();

        var verified = await app.CosignVerifyAsync($"{app.RepositoryOf("api")}:key-1");
        Assert.That(verified.ExitCode, Is.Zero, verified.StandardError);
    }

    [Test]
    public async Task Should_tell_no_secret_to_other_processes_files_or_the_log_When_the_host_signs_and_pushes([Values] bool wrongPassword)
    {
        await using var server = await RegistryServer.StartWithPasswordAsync();
        var password = wrongPassword ? "not-the-password" : RegistryServer.Password;
        server.LogIn(password: password);
        using var app = await App.CreateAsync(server.Connection, "api");
        HostProcess.WriteSettings(app);
        app.WriteBuild("api", "1", 300_000);
        string[] secrets = [App.KeyPassword, password, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{RegistryServer.User}:{password}"))];
        await using var watch = new CommandLineWatch();

        var sign = await RunAsync(app, "Sign");
        var push = await RunAsync(app, "Push");

        Assert.That((sign.ExitCode, push.ExitCode), Is.EqualTo((0, wrongPassword ? ExitCodes.RequirementMissing : 0)), sign.Output + push.Output);
        if (wrongPassword)
        {
            Assert.That(push.Output, Does.Contain($"docker login {server.Host}"));
        }

        Assert.That(watch.Seen, Has.Some.Contains("sign-blob --key " + app.Root).And.Some.Contains("--target=Push"), "the watch did not see the processes");
        Assert.That(watch.Seen.Concat([sign.Output, push.Output]).Where(text => secrets.Any(text.Contains)), Is.Empty);
        var files = Directory.EnumerateFiles(app.Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device });
        Assert.That(files.Where(file => secrets.Any(File.ReadAllText(file).Contains)), Is.Empty);
    }

    [Test]
    public async Task Should_sign_with_a_key_from_a_variable_When_the_host_is_told_which()
    {
        await using var server = await RegistryServer.StartAsync();
        using var app = await App.CreateAsync(server.Connection, "api");
        HostProcess.WriteSettings(app, "env://SIGNING_KEY");
        var variables = new Dictionary<string, string> { ["SIGNING_KEY"] = File.ReadAllText(app.Files.File("cosign.key")) };
        File.Delete(app.Files.File("cosign.key"));
        var digest = app.WriteBuild("api", "1", 1000);

        var sign = await RunAsync(app, "Sign", variables);

        Assert.That(sign.ExitCode, Is.Zero, sign.Output);
        await app.PushAsync();
        await SeeSignedAsync(server, app, digest);
    }

    [Test]
    public async Task Should_say_that_this_cosign_is_built_without_it_When_the_key_is_in_Vault()
    {
        var cosign = await ExternalTools.RequireAsync(Cake.K3s.Tools.ToolName.Cosign);
        Assume.That(cosign.Source, Is.Not.EqualTo("PATH"), "a cosign of one's own may be built with it");
        await using var server = await RegistryServer.StartAsync();
        using var app = await App.CreateAsync(server.Connection, "api");
        HostProcess.WriteSettings(app, "hashivault://shop");
        app.WriteBuild("api", "1", 1000);

        var sign = await RunAsync(app, "Sign");

        Assert.That(sign.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing), sign.Output);
        Assert.That(sign.Output, Does.Contain("built without support for hashivault://").And.Contain("release of sigstore/cosign"));
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(App app, string target, Dictionary<string, string>? variables = null)
    {
        using var host = HostProcess.Start(app, target, variables);
        var (output, error) = (host.StandardOutput.ReadToEndAsync(), host.StandardError.ReadToEndAsync());
        await host.WaitForExitAsync();
        return (host.ExitCode, await output + await error);
    }

    /// <summary>Pushes all images of the app, with signatures by the test's own key.</summary>
    /// <returns>The digest of api.</returns>
    private async Task<Digest> PushAsync(App app, params int[] layerSizes)
    {
        foreach (var image in app.Settings.Images.Keys)
        {
            app.WriteBuild(image, "1", layerSizes);
            app.Sign(image, _key);
        }

        await app.PushAsync();
        return app.Artifacts("api").ReadBuild().Digest;
    }

    private static async Task SeeSignedAsync(RegistryServer server, App app, Digest digest)
    {
        using var client = Registries.Open(server.Connection);
        Assert.That(await client.FindDigestAsync("shop/api", "key-1", default), Is.EqualTo(digest));
        Assert.That(await client.IsSignedAsync("shop/api", digest, [PublicKey.Read(app.Environment.SigningKey.PublicKey)], default), Is.True);
    }

    private static async Task MountAsync(params string[] arguments)
    {
        try
        {
            await ExternalTools.Commands.RunAsync(new("mount", arguments), default);
        }
        catch (CommandFailedException refused) when (!EnvironmentVariables.OfProcess.IsCI)
        {
            Assert.Ignore("no file system can be mounted here: " + refused.Message);
        }
    }
}
