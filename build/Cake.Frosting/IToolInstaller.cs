using Cake.Core.Packaging;

namespace Cake.Frosting;

/// <summary>Installs the tools that the host was given before the first task runs.</summary>
public interface IToolInstaller
{
    /// <summary>Installs a tool and makes it known to Cake's tool locator.</summary>
    /// <param name="tool">The package that holds the tool.</param>
    void Install(PackageReference tool);
}
