using System.Net;
using System.Text;
using Cake.K3s.Sandbox.Network;

namespace Cake.K3s.Sandbox.Tests.Network;

public sealed class DnsTests
{
    [Test]
    public void Should_Read_Name_And_Type_When_A_Query_Is_Plain() =>
        Assert.That(DnsQuestion.Read(Query("Api.Shop.svc.cluster.local", 28)), Has.Property(nameof(DnsQuestion.Name)).EqualTo("api.shop.svc.cluster.local")
            .And.Property(nameof(DnsQuestion.Type)).EqualTo(28).And.Property(nameof(DnsQuestion.Id)).EqualTo(0x1234));

    [Test]
    public void Should_Read_Nothing_When_A_Message_Is_Cut_Anywhere()
    {
        var query = Query("api.shop.svc.cluster.local", 1);

        Assert.That(Enumerable.Range(0, query.Length).Select(length => DnsQuestion.Read(query.AsSpan(0, length))), Is.All.Null);
    }

    [Test]
    public void Should_Repeat_The_Question_And_Point_To_It_When_It_Answers()
    {
        var question = DnsQuestion.Read(Query("db", 1))!;

        var answer = DnsAnswer.Write(question, DnsAnswer.NoError, [DnsRecord.Address(IPAddress.Parse("10.43.0.9"))]);

        Assert.That(Convert.ToHexString(answer), Is.EqualTo("1234" + "8580" + "0001" + "0001" + "00000000" + "02646200" + "00010001" + "C00C" + "00010001" + "00000005" + "0004" + "0A2B0009"));
    }

    [Test]
    public void Should_Say_That_There_Is_No_Such_Name_When_There_Is_None() =>
        Assert.That(DnsAnswer.Write(DnsQuestion.Read(Query("x", 1))!, DnsAnswer.NoSuchName, [])[3] & 0xF, Is.EqualTo(3));

    private static byte[] Query(string name, byte type) =>
    [
        0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0,
        .. name.Split('.').SelectMany(label => new[] { (byte)label.Length }.Concat(Encoding.ASCII.GetBytes(label))), 0,
        0, type, 0, 1,
    ];
}
