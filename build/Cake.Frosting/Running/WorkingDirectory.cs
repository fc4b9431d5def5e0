using Cake.Core.IO;

namespace Cake.Frosting.Running;

/// <summary>The directory given by <see cref="CakeHostExtensions.UseWorkingDirectory"/>.</summary>
internal sealed record WorkingDirectory(DirectoryPath Path);
