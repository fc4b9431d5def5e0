using System.Formats.Tar;
using Cake.K3s.Sandbox.Node.Engine;

namespace Cake.K3s.Sandbox.Tests.Node;

public sealed class PauseImageTests
{
    [TestCase("x86_64", 0x3E)]
    [TestCase("aarch64", 0xB7)]
    public void Should_Be_A_Static_Program_Of_The_Machine_When_It_Is_Made(string architecture, int machine)
    {
        var program = PauseImage.Program(architecture);

        Assert.Multiple(() =>
        {
            Assert.That(program[..4], Is.EqualTo("\u007FELF"u8.ToArray()));
            Assert.That(BitConverter.ToUInt16(program, 18), Is.EqualTo(machine));
            Assert.That(BitConverter.ToUInt64(program, 24), Is.EqualTo(0x400000 + 120), "the entry point is the byte after the headers");
            Assert.That(BitConverter.ToUInt64(program, 64 + 32), Is.EqualTo(program.Length), "the segment is the whole file");
        });
    }

    [Test]
    public async Task Should_Be_Executable_For_Everybody_When_It_Is_Packed()
    {
        await using var files = await PauseImage.RootFileSystemAsync("amd64", CancellationToken.None);
        await using var reader = new TarReader(files);
        var entry = await reader.GetNextEntryAsync();

        Assert.That((entry!.Name, (int)entry.Mode), Is.EqualTo(("pause", Convert.ToInt32("555", 8))));
    }

    [Test]
    public void Should_Say_What_It_Runs_On_When_The_Architecture_Is_Another() =>
        Assert.That(() => PauseImage.Program("riscv64"), Throws.TypeOf<NotSupportedException>().With.Message.Contains("riscv64"));
}
