using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>What the control <c>SignedImages</c> demands of the images in the app's namespace.</summary>
public sealed record SignedImagesSettings
{
    /// <summary>
    /// Where images may come from besides the environment's own registry: hosts or paths, e.g. <c>docker.io/library</c>. An image must
    /// be named with its registry. <c>backup.image</c> and <c>networkPolicies.probeImage</c> are taken where they are pinned by digest.
    /// </summary>
    [Pattern("^[a-zA-Z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$", "a host and a path without a scheme, such as docker.io/library")]
    public ImmutableArray<string> Registries { get; init; } = [];

    /// <summary>Whether Kyverno, where the cluster has it, verifies signatures.</summary>
    public KyvernoAction Kyverno { get; init; }
}

/// <summary>What Kyverno does about an image that is not signed by the app's key.</summary>
public enum KyvernoAction
{
    /// <summary>Nothing: it is not asked.</summary>
    Off,

    /// <summary>Reports it: the first step.</summary>
    Audit,

    /// <summary>Refuses it, and every pod of the namespace while Kyverno is down.</summary>
    Deny,
}
