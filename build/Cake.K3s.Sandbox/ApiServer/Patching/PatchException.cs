namespace Cake.K3s.Sandbox.ApiServer.Patching;

/// <summary>A patch does not fit the object it is for.</summary>
internal sealed class PatchException(string message) : Exception(message);
