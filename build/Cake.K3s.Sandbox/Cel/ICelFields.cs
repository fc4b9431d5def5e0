namespace Cake.K3s.Sandbox.Cel;

/// <summary>A value whose fields are computed when an expression asks for them.</summary>
internal interface ICelFields
{
    /// <exception cref="CelException">The field's own expression fails.</exception>
    bool TryGet(string name, out object? value);
}
