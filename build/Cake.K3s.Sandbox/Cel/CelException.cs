namespace Cake.K3s.Sandbox.Cel;

/// <summary>An expression that cannot be compiled, or whose evaluation failed; the message is worded as cel-go words it.</summary>
internal sealed class CelException(string message) : Exception(message)
{
    public static CelException NoSuchOverload(string function) => new($"no such overload: {function}");

    public static CelException NoSuchKey(object? key) => new($"no such key: {key}");
}
