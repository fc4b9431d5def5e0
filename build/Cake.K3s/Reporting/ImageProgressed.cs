namespace Cake.K3s.Reporting;

/// <summary>How far the build or the upload of an image is; reported often, and of no interest afterwards.</summary>
/// <param name="Image">The image's name.</param>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">How much of it is done: steps of the Dockerfile, or bytes.</param>
/// <param name="Total">How much there is to do, as far as it is known now.</param>
/// <param name="Text">The present step; null where there is nothing to say.</param>
public sealed record ImageProgressed(string Image, ImageStage Stage, long Done, long Total, string? Text) : RunEvent
{
    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => Text is null ? this : this with { Text = hide(Text) };
}

/// <summary>What is being done with an image.</summary>
public enum ImageStage
{
    /// <summary>It is built; counted in steps.</summary>
    Build,

    /// <summary>It is sent to the registry; counted in bytes.</summary>
    Upload,
}
