using System.Net;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Reporting;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class CloudflareRangesTests
{
    private TemporaryDirectory _directory;

    internal static CloudflareRanges Good => CloudflareRanges.Parse(CloudflareAnswer.Text);

    [SetUp]
    public void Make() => _directory = new TemporaryDirectory();

    [TearDown]
    public void Remove() => _directory.Dispose();

    [Test]
    public void Should_read_all_ranges_When_the_answer_is_good()
    {
        Assert.That(Good.V4, Has.Length.EqualTo(15));
        Assert.That(Good.V6, Has.Length.EqualTo(7));
        Assert.That(CloudflareRanges.Parse(Good.ToJson()).SameAs(Good));
    }

    [TestCase("", "empty")]
    [TestCase("<!DOCTYPE html><html>", "HTML")]
    [TestCase("{\"result\":{\"ipv4_cidrs\":[\"173.245.48.0/20\",", "only a part")]
    [TestCase("[]", "succeeded")]
    [TestCase("{\"success\":false,\"result\":{}}", "succeeded")]
    [TestCase("{\"success\":true,\"result\":{}}", "ipv4_cidrs")]
    [TestCase("131.0.72.0/222400:cb00::/32", "not JSON")]
    public void Should_refuse_the_answer_When_it_is_something_else(string answer, string why) =>
        Assert.That(() => CloudflareRanges.Parse(answer), Throws.TypeOf<FormatException>().With.Message.Contains(why));

    [TestCase("131.0.72.0/22", "131.0.72.0/222400:cb00::/32", "no range")]
    [TestCase("131.0.72.0/22", "0.0.0.0/0", "cannot be")]
    [TestCase("131.0.72.0/22", "10.0.0.0/16", "cannot be")]
    [TestCase("131.0.72.0/22", "2400:cb01::/32", "no range")]
    [TestCase("2400:cb00::/32", "::/0", "cannot be")]
    [TestCase("2400:cb00::/32", "2400::/8", "cannot be")]
    [TestCase("\"131.0.72.0/22\"", "null", "no range")]
    [TestCase("\"173.245.48.0/20\",\"103.21.244.0/22\",\"103.22.200.0/22\",\"103.31.4.0/22\",\"141.101.64.0/18\",\"108.162.192.0/18\",", "", "fewer than 10")]
    [TestCase("\"2606:4700::/32\",\"2803:f800::/32\",\"2405:b500::/32\",", "", "fewer than 5")]
    public void Should_refuse_all_of_the_answer_When_a_part_of_it_is_wrong(string part, string instead, string why) =>
        Assert.That(
            () => CloudflareRanges.Parse(CloudflareAnswer.Text.Replace(part, instead, StringComparison.Ordinal)),
            Throws.TypeOf<FormatException>().With.Message.Contains(why));

    [Test]
    public async Task Should_keep_the_last_good_list_When_the_next_answer_is_not_good()
    {
        var file = _directory.File("ranges.json");
        await Source(file, CloudflareAnswer.Text).RefreshAsync(default);
        var kept = await File.ReadAllTextAsync(file);

        Assert.That(async () => await Source(file, "<html>").RefreshAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("HTML"));
        Assert.That((await Source(file, "<html>").GetAsync(default)).SameAs(Good));
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo(kept));
    }

    [Test]
    public void Should_fail_When_the_first_answer_is_not_good() =>
        Assert.That(async () => await Source(_directory.File("ranges.json"), "").GetAsync(default), Throws.TypeOf<K3sException>());

    [Test]
    public async Task Should_refuse_the_answer_When_most_of_what_is_known_is_gone()
    {
        var file = _directory.File("ranges.json");
        await Source(file, CloudflareAnswer.Text).RefreshAsync(default);
        var other = Good with { V4 = [.. Good.V4.Select((_, i) => Cake.K3s.Hardening.Nodes.Firewall.AddressRange.Parse($"99.{i}.0.0/16"))] };

        Assert.That(async () => await Source(file, other.ToJson()).RefreshAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("more than half"));
    }

    private static CloudflareRangeSource Source(string file, string answer) =>
        new(new HttpClient(new Answering(answer)), file, new Silent());

    private sealed class Answering(string answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(answer) });
    }

    private sealed class Silent : IReporter
    {
        public void Report(RunEvent runEvent)
        {
        }
    }
}
