using Cake.Core.IO;
using Cake.Core.Packaging;
using Cake.Core.Tooling;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting.Running;

/// <summary>
/// Makes Cake's own installer when a tool is installed. Every context asks for one, and Cake's brings NuGet along, which reads its
/// settings at once: a tenth of what the start of a run compiles.
/// </summary>
internal sealed class DeferredToolInstaller(IServiceProvider services) : Core.Tooling.IToolInstaller
{
    // Cake's own installs only while its result is read, and callers leave that out.
    public IEnumerable<FilePath> Install(PackageReference tool) => [.. ActivatorUtilities.CreateInstance<ToolInstaller>(services).Install(tool)];
}
