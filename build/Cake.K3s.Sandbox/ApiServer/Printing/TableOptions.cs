namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>What a client wants in a table.</summary>
/// <param name="Headers">The definitions of the columns.</param>
/// <param name="Include">What comes with each row.</param>
internal sealed record TableOptions(bool Headers, IncludeObject Include)
{
    public static TableOptions Default { get; } = new(true, IncludeObject.Metadata);

    public static TableOptions Of(IQueryCollection query) => new(true, query["includeObject"].ToString() switch
    {
        "None" => IncludeObject.None,
        "Object" => IncludeObject.Object,
        _ => IncludeObject.Metadata,
    });
}

/// <summary>How much of an object comes with its row.</summary>
internal enum IncludeObject
{
    Metadata,
    Object,
    None,
}
