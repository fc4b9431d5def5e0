using Cake.Core.Packaging;

namespace Cake.Frosting.Running;

/// <summary>Installs tools with Cake's own installer.</summary>
internal sealed class FrostingToolInstaller(Core.Tooling.IToolInstaller installer) : IToolInstaller
{
    public void Install(PackageReference tool) => installer.Install(tool);
}
