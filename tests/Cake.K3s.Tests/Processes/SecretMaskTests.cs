using System.Text;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Processes;

public sealed class SecretMaskTests
{
    private readonly SecretMask _mask = new();

    [Test]
    public void Should_leave_text_alone_When_no_secret_is_known()
    {
        Assert.That(_mask.Hide("nothing to see"), Is.EqualTo("nothing to see"));
    }

    [Test]
    public void Should_hide_every_occurrence_When_a_secret_is_known()
    {
        _mask.Add(new Secret("hunter2"));

        Assert.That(_mask.Hide("hunter2, and again hunter2"), Is.EqualTo("***, and again ***"));
    }

    [Test]
    public void Should_hide_base64_When_a_secret_is_encoded_as_kubernetes_does()
    {
        _mask.Add(new Secret("p@ss word"));

        Assert.That(_mask.Hide("data: " + Convert.ToBase64String(Encoding.UTF8.GetBytes("p@ss word"))), Does.StartWith("data: ***"));
    }

    [TestCase("p%40ss%20%22word%22", TestName = "Should_hide_a_secret_When_it_is_part_of_a_url")]
    [TestCase("p@ss \\u0022word\\u0022", TestName = "Should_hide_a_secret_When_it_is_part_of_json")]
    public void Should_hide(string encoded)
    {
        _mask.Add(new Secret("p@ss \"word\""));

        Assert.That(_mask.Hide($"before {encoded} after"), Is.EqualTo("before *** after"));
    }

    [Test]
    public void Should_hide_each_line_When_a_secret_has_several()
    {
        _mask.Add(new Secret("-----BEGIN KEY-----\nMIIEvQIBADAN\n}\n-----END KEY-----\n"));

        Assert.That(_mask.Hide("key is MIIEvQIBADAN"), Is.EqualTo("key is ***"));
        Assert.That(_mask.Hide("a brace } stays"), Is.EqualTo("a brace } stays"));
    }

    [Test]
    public void Should_hide_the_whole_of_the_longer_secret_When_one_contains_the_other()
    {
        _mask.Add(new Secret("pass"));
        _mask.Add(new Secret("password-of-prod"));

        Assert.That(_mask.Hide("password-of-prod"), Is.EqualTo("***"));
    }

    [TestCase("")]
    [TestCase(" \n")]
    public void Should_leave_text_alone_When_a_secret_is_blank(string value)
    {
        _mask.Add(new Secret(value));

        Assert.That(_mask.Hide("a b\nc"), Is.EqualTo("a b\nc"));
    }
}
