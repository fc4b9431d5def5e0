using Cake.K3s.Images;

namespace Cake.K3s.Tests.Images;

public sealed class BuildxProgressTests
{
    [Test]
    public void Should_Count_Steps()
    {
        var progress = new BuildxProgress("api");

        var seen = new[] { "#4 [1/3] FROM docker.io/library/alpine", "#4 extracting sha256:83184ff5", "#6 [2/3] WORKDIR /app", "#6 DONE 0.4s" }
            .Select(progress.Take)
            .Where(step => step is not null)
            .Select(step => (step!.Done, step.Total, step.Text));

        Assert.That(seen, Is.EqualTo([(1L, 3L, "FROM docker.io/library/alpine"), (2L, 3L, "WORKDIR /app")]));
    }

    [Test]
    public void Should_Add_Up_Stages()
    {
        var progress = new BuildxProgress("api");
        progress.Take("#5 [build 2/4] RUN make");

        var step = progress.Take("#7 [stage-1 1/2] COPY --from=build /out .")!;

        Assert.That((step.Done, step.Total), Is.EqualTo((3L, 6L)));
    }

    [Test]
    public void Should_Not_Go_Back_When_A_Step_Is_Shown_Again()
    {
        var progress = new BuildxProgress("api");
        progress.Take("#5 [2/4] RUN make");

        Assert.That(progress.Take("#4 [1/4] FROM alpine")!.Done, Is.EqualTo(2));
    }

    [TestCase("#1 [internal] load build definition from Dockerfile")]
    [TestCase("")]
    [TestCase("#7 0.123 [1/2] printed by a program")]
    public void Should_Say_Nothing_When_It_Is_No_Step(string line) => Assert.That(new BuildxProgress("api").Take(line), Is.Null);
}
