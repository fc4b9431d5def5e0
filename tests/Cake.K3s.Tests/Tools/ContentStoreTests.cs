using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;

namespace Cake.K3s.Tests.Tools;

public sealed class ContentStoreTests
{
    private TemporaryDirectory _directory;
    private ContentStore _store;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _store = new ContentStore(_directory.Path);
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task Should_name_the_folder_by_version_and_find_it_again()
    {
        var folder = await EnsureAsync("recipe", Fill("1.2"));

        Assert.That(folder, Is.EqualTo(_directory.File("tool", "1.2-recipe")));
        Assert.That(_store.Find("tool", "recipe"), Is.EqualTo(folder));
        Assert.That(_directory.File("tool", "1.2-recipe", "program"), Does.Exist);
    }

    [Test]
    public async Task Should_fill_it_once_When_several_ask_at_the_same_time()
    {
        var fills = 0;
        Task<string> CountAsync(string folder)
        {
            Interlocked.Increment(ref fills);
            return Fill("1.2")(folder);
        }

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => EnsureAsync("recipe", CountAsync))));

        Assert.That(fills, Is.EqualTo(1));
    }

    [Test]
    public void Should_leave_nothing_behind_When_filling_fails()
    {
        Assert.That(() => EnsureAsync("recipe", _ => throw new IOException("disk full")), Throws.TypeOf<IOException>());

        Assert.That(Directory.EnumerateDirectories(_directory.File("tool")), Is.Empty);
        Assert.That(_store.Find("tool", "recipe"), Is.Null);
    }

    [Test]
    public async Task Should_not_take_but_remove_what_a_killed_run_left_half_done()
    {
        _directory.Write("tool/.partial-recipe/program", "half");

        var folder = await EnsureAsync("recipe", Fill("1.2"));

        Assert.That(Directory.EnumerateDirectories(_directory.File("tool")), Is.EqualTo(new[] { folder }));
    }

    [Test]
    public async Task Should_not_find_content_that_was_made_otherwise()
    {
        await EnsureAsync("older", Fill("1.2"));

        Assert.That(_store.Find("tool", "newer"), Is.Null);
    }

    [Test]
    public async Task Should_wait_for_the_other_run_until_cancelled()
    {
        Directory.CreateDirectory(_directory.File("tool"));
        using var held = await FileLock.ExclusiveAsync(_directory.File("tool", ".lock"), CancellationToken.None);
        using var cancellation = new CancellationTokenSource();

        var waiting = _store.EnsureAsync("tool", "recipe", Fill("1.2"), cancellation.Token);
        await cancellation.CancelAsync();

        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Should_share_a_lock_among_readers_and_keep_writers_out()
    {
        var file = _directory.File("lock");
        using var cancelled = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        using var first = await FileLock.SharedAsync(file, CancellationToken.None);
        using var second = await FileLock.SharedAsync(file, CancellationToken.None);

        Assert.That(async () => await FileLock.ExclusiveAsync(file, cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    private Task<string> EnsureAsync(string recipe, Func<string, Task<string>> fill) => _store.EnsureAsync("tool", recipe, fill, CancellationToken.None);

    private static Func<string, Task<string>> Fill(string version) => async folder =>
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "program"), "whole");
        return version;
    };
}
