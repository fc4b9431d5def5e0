using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Cake.K3s.Tests;

/// <summary>Every error ends with what to do next: looked for at every place of the sources that makes one.</summary>
public sealed class NextStepTests
{
    private const int Position = 2;

    [Test]
    public void Should_SayWhatToDoNext_When_AFailureIsMade()
    {
        var sites = Directory.EnumerateFiles(SourceTree.File("build"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .SelectMany(Sites)
            .ToList();

        Assert.That(sites, Has.Count.GreaterThan(80), "the sites are not found any more");
        Assert.That(sites.Where(site => !site.HasNextStep).Select(site => site.Place), Is.Empty);
    }

    [TestCase("deploy.yaml", "docs/settings.md")]
    [TestCase("manifests/app/api.yaml", "Correct it there")]
    [TestCase(null, "--help")]
    public void Should_SayWhereToCorrectIt_When_AnOperatorsFileIsWrong(string? file, string expected) =>
        Assert.That(new SettingsException(file, 1, 1, "wrong").NextStep, Does.Contain(expected));

    private static IEnumerable<(string Place, bool HasNextStep)> Sites(string file)
    {
        var tree = CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file);
        foreach (var made in tree.GetRoot().DescendantNodes().OfType<BaseObjectCreationExpressionSyntax>())
        {
            if (!IsFailure(made))
            {
                continue;
            }

            var arguments = made.ArgumentList!.Arguments;
            var step = arguments.FirstOrDefault(argument => argument.NameColon?.Name.Identifier.Text == "nextStep")
                ?? arguments.Take(Position + 1).ElementAtOrDefault(Position) switch { { NameColon: null } third => third, _ => null };
            var line = tree.GetLineSpan(made.Span).StartLinePosition.Line + 1;
            yield return ($"{Path.GetRelativePath(SourceTree.File("."), file)}:{line}", step is not null && !step.Expression.IsKind(SyntaxKind.NullLiteralExpression));
        }
    }

    // "new(ExitCodes.Failed, ...)" is one too; the type stands somewhere else.
    private static bool IsFailure(BaseObjectCreationExpressionSyntax made) => made switch
    {
        ObjectCreationExpressionSyntax { Type: IdentifierNameSyntax { Identifier.Text: nameof(K3sException) } } => true,
        ImplicitObjectCreationExpressionSyntax { ArgumentList.Arguments: [{ Expression: MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: nameof(ExitCodes) } } }, ..] } =>
            made.Ancestors().OfType<MethodDeclarationSyntax>().FirstOrDefault()?.ReturnType.ToString().Contains(nameof(K3sException), StringComparison.Ordinal) == true,
        _ => false,
    };
}
