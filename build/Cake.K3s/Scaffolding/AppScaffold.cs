using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Settings.Schema;

namespace Cake.K3s.Scaffolding;

/// <summary>Brings an app in: writes the deploy.yaml that it does not have yet, and what else a first deploy needs.</summary>
public sealed class AppScaffold
{
    private readonly RunOptions _options;
    private readonly AppSurveyor _surveyor;
    private readonly EnvironmentVariables _variables;
    private readonly IReporter _reporter;

    internal AppScaffold(RunOptions options, AppSurveyor surveyor, EnvironmentVariables variables, IReporter reporter)
    {
        _options = options;
        _surveyor = surveyor;
        _variables = variables;
        _reporter = reporter;
    }

    /// <summary>Looks at the app in the working directory and writes files beside it. A file that is there already stays as it is.</summary>
    /// <exception cref="K3sException">There is a deploy.yaml already, or no Dockerfile (exit code 2).</exception>
    public void Write()
    {
        var directory = _options.WorkingDirectory;
        var settings = Path.Combine(directory, RepositoryRoot.SettingsFileName);
        if (File.Exists(settings))
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"{settings} is there already, and Init overwrites nothing",
                "For another app: --target=Init --working=DIRECTORY. To begin anew here, move the file away first.");
        }

        var app = _surveyor.Look(directory);
        if (app.Images.IsEmpty)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"there is no Dockerfile in {directory} or below, so there is no image to deploy",
                "Write one (what the app needs to run, EXPOSE with its port, USER with a number), then run Init again; another directory: --working=DIRECTORY.");
        }

        // The settings last: whoever finds them finds the rest.
        var files = app.Manifests is null ? ManifestDraft.Write(app) : new Dictionary<string, string>();
        foreach (var (file, text) in files)
        {
            WriteNew(directory, file, text);
        }

        WriteNew(directory, SchemaFile.Name, SchemaFile.OfLibrary());
        WriteNew(directory, ".gitignore", "/artifacts/\n/.tools/\n/.sandbox/\n*.key\n");
        if (app.Images.Values.Any(image => image.Context == "."))
        {
            WriteNew(directory, ".dockerignore", ".git\n.sandbox\n.tools\nartifacts\n*.key\n");
        }

        WriteNew(directory, RepositoryRoot.SettingsFileName, SettingsDraft.Write(app));
        foreach (var remark in Remarks(app))
        {
            _reporter.Warning("init", remark);
        }

        var where = WorkingSwitch(directory);
        _reporter.Step("init", $"next: ./build.sh --target=Doctor{where}    checks that this machine can deploy it");
        _reporter.Step("init", $"then: ./build.sh --target=Deploy{where}    deploys it into the sandbox on this machine");
    }

    /// <summary>What the operator has to see to, as far as it can be told from outside.</summary>
    internal static IEnumerable<string> Remarks(AppSurvey app)
    {
        foreach (var (name, image) in app.Images)
        {
            if (!image.Missing.IsEmpty)
            {
                yield return $"image {name}: its Dockerfile copies {string.Join(", ", image.Missing)}, which is not there; name the command that makes it as images.{name}.prepare";
            }

            if (image.Dockerfile.Port is null && app.Manifests is null)
            {
                yield return $"image {name}: its Dockerfile has no EXPOSE, so it gets no Service; add one if it serves a port, and run Init again with manifests/app/{name}.yaml and deploy.yaml out of the way";
            }

            foreach (var argument in image.Dockerfile.BaseArguments)
            {
                yield return $"image {name}: its base image is the argument {argument}, without a default; in the sandbox it is sandbox://aspnet now, elsewhere name it as images.{name}.arguments.{argument}";
            }
        }

        foreach (var named in app.Manifests?.Images ?? [])
        {
            if (named.Reference != named.ShortName && app.Images.ContainsKey(named.ShortName))
            {
                yield return $"{named.Place} names {named.Reference}; write \"image: {named.ShortName}\" to deploy what is built here";
            }
            else if (named.Reference == named.ShortName && !app.Images.ContainsKey(named.ShortName))
            {
                yield return $"{named.Place} names {named.Reference}, which no Dockerfile here builds; write its full name, such as docker.io/library/{named.Reference}:TAG, or give it a Dockerfile";
            }
        }
    }

    private void WriteNew(string directory, string file, string text)
    {
        var path = Path.Combine(directory, file);
        if (File.Exists(path))
        {
            var missing = file is ".gitignore" or ".dockerignore" ? Missing(text, File.ReadAllText(path)) : [];
            if (missing.Count > 0)
            {
                _reporter.Warning("init", $"{file} is there already and stays as it is; add to it: {string.Join("  ", missing)}");
            }
            else
            {
                _reporter.Step("init", $"{file} is there already and stays as it is");
            }

            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        _reporter.Step("init", $"{file} written");
    }

    private static List<string> Missing(string wanted, string there)
    {
        var lines = there.Split('\n').Select(line => line.Trim().Trim('/')).ToHashSet(StringComparer.Ordinal);
        return [.. wanted.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !lines.Contains(line.Trim('/')))];
    }

    // As the operator will have to type it, who is where build.sh was called.
    private string WorkingSwitch(string directory)
    {
        var relative = _variables["PWD"] is { } here ? Path.GetRelativePath(here, directory) : ".";
        return relative == "." ? "" : $" --working={relative}";
    }
}
