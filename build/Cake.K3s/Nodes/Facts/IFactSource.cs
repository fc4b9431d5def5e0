using System.Collections.Immutable;

namespace Cake.K3s.Nodes.Facts;

/// <summary>Something that wants to know facts of a node. The facts of all sources are read in one round trip.</summary>
internal interface IFactSource
{
    /// <summary>The name, which the facts are found under: letters and digits.</summary>
    string Name { get; }

    /// <summary>
    /// POSIX shell, run as root without <c>set -e</c>, that prints the facts to standard output and changes nothing. Its standard error is
    /// dropped. Keep it quick: no interpreter such as Python (<c>ufw status</c>) where a file tells the same.
    /// </summary>
    string FactScript { get; }

    /// <summary>
    /// Pieces of POSIX shell that run before, each once for all sources that have the same: they set variables for <see cref="FactScript"/>
    /// and print nothing.
    /// </summary>
    ImmutableArray<string> SharedScripts => [];
}
