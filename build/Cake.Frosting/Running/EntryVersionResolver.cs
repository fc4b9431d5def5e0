using System.Reflection;
using Cake.Cli;

namespace Cake.Frosting.Running;

/// <summary>The version of the program that the host runs in.</summary>
internal sealed class EntryVersionResolver : IVersionResolver
{
    public string GetVersion() => GetProductVersion().Split('+')[0];

    public string GetProductVersion() =>
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "Unknown";
}
