using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>Freezes a plan, and tells whether another plan, made later, still is the same.</summary>
internal static class FrozenPlan
{
    /// <summary>Freezes a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="now">When it was made.</param>
    /// <param name="salt">For the fingerprints; 16 random bytes by default.</param>
    public static PlanDocument Freeze(DeployPlan plan, DateTimeOffset now, byte[]? salt = null)
    {
        salt ??= RandomNumberGenerator.GetBytes(16);
        return new()
        {
            App = plan.Set.App,
            Namespace = plan.Set.Parent.Namespace!,
            PlannedAt = now,
            Salt = Convert.ToBase64String(salt),
            Objects = [.. plan.Objects.Select(planned => Freeze(planned, salt))],
            Deletes = [.. plan.Prunes.Select(PlanText.Name).Order(StringComparer.Ordinal)],
            Images = [.. plan.ImageChanges.Select(change => new PlanDocumentImage(change.Owner.ToString(), change.Container, change.Before, change.After, change.CommitBefore, change.CommitAfter))],
        };
    }

    /// <summary>Checks that a plan does exactly what a frozen one said.</summary>
    /// <exception cref="K3sException">It does not: each difference is named.</exception>
    public static void Check(PlanDocument frozen, DeployPlan plan)
    {
        var now = Freeze(plan, default, Convert.FromBase64String(frozen.Salt));
        var differences = Differences(frozen, now).ToList();
        if (differences.Count > 0)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"the plan of {frozen.PlannedAt:yyyy-MM-dd HH:mm} UTC no longer holds; nothing was changed",
                "make a new plan, and look at it: --target=Plan --out=FILE",
                differences);
        }
    }

    private static IEnumerable<string> Differences(PlanDocument frozen, PlanDocument now)
    {
        if (frozen.App != now.App || frozen.Namespace != now.Namespace)
        {
            yield return $"it is for {frozen.App} in namespace {frozen.Namespace}, not for {now.App} in {now.Namespace}";
            yield break;
        }

        var before = frozen.Objects.ToDictionary(IdentityOf);
        var after = now.Objects.ToDictionary(IdentityOf);
        foreach (var identity in before.Keys.Union(after.Keys))
        {
            var difference = (before.GetValueOrDefault(identity), after.GetValueOrDefault(identity)) switch
            {
                ({ } gone, null) => $"{gone} is no longer in the manifests",
                (null, { } added) => $"{added} was not in the manifests",

                // A missing namespace is made before anything else: the lock and the records are kept in it.
                ({ Kind: "Namespace", Live: null } was, var isNow) when was.Wanted == isNow!.Wanted => null,
                var (was, isNow) when was!.Wanted != isNow!.Wanted => $"{was}: its manifest, an image, a variable or a secret is another",
                var (was, isNow) when was!.Live != isNow!.Live => (was.Live, isNow.Live) switch
                {
                    (_, null) => $"{was} is gone from the cluster",
                    (null, _) => $"{was} is in the cluster already",
                    _ => $"{was} was changed in the cluster",
                },
                var (was, isNow) when was!.Change != isNow!.Change => $"{was} would be another change now: {isNow.Change}, not {was.Change}",
                _ => null,
            };
            if (difference is not null)
            {
                yield return difference;
            }
        }

        foreach (var name in frozen.Deletes.Except(now.Deletes))
        {
            yield return $"{name} would no longer be deleted";
        }

        foreach (var name in now.Deletes.Except(frozen.Deletes))
        {
            yield return $"{name} would be deleted too";
        }
    }

    private static (string, string?, string) IdentityOf(PlanDocumentObject item) =>
        (GroupVersionKind.Of(item.ApiVersion, item.Kind) is var type ? $"{type.Group}/{type.Kind}" : "", item.Namespace, item.Name);

    private static PlanDocumentObject Freeze(PlannedObject planned, byte[] salt) => new()
    {
        ApiVersion = planned.Key.Type.ApiVersion,
        Kind = planned.Key.Type.Kind,
        Namespace = planned.Key.Namespace,
        Name = planned.Key.Name,
        Change = planned.Change,
        Manifest = planned.Manifest.Place.ToString(),
        Wanted = Fingerprint(planned.Desired.ToNode(), salt),
        Live = planned.Live is null ? null : Fingerprint(Essence(planned.Live), salt),
        Fields = planned.Change == PlannedChange.Create ? [] : [.. planned.Fields.Select(field => ValueText.IsSecret(planned.Key, field)
            ? new PlanDocumentField(field.Path, null, null, true)
            : new PlanDocumentField(field.Path, field.Before?.DeepClone(), field.After?.DeepClone(), false))],
        Refused = planned.Refusal?.ApiMessage,
    };

    /// <summary>What counts as drift: not the status, nor what the API keeps for itself.</summary>
    private static JsonObject Essence(JsonObject live)
    {
        var essence = live.DeepClone().AsObject();
        essence.Remove("status");
        if (essence["metadata"] is JsonObject metadata)
        {
            foreach (var name in (string[])["managedFields", "resourceVersion", "generation"])
            {
                metadata.Remove(name);
            }

            (metadata["annotations"] as JsonObject)?.Remove("deployment.kubernetes.io/revision");
        }

        return essence;
    }

    // Slow on purpose for Secrets alone: the file may end up where the cluster's Secrets do not.
    private static string Fingerprint(JsonObject node, byte[] salt)
    {
        if (node.Text("kind") != "Secret")
        {
            return CanonicalJson.Hash(node);
        }

        // The hash in the annotation would be a short cut for whoever guesses.
        var copy = node.DeepClone().AsObject();
        (copy.At("metadata", "annotations") as JsonObject)?.Remove(DesiredObject.HashAnnotation);
        return Convert.ToHexStringLower(Rfc2898DeriveBytes.Pbkdf2(CanonicalJson.Bytes(copy).Span, salt, 100_000, HashAlgorithmName.SHA256, 32));
    }
}
