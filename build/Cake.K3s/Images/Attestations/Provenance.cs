using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.Images.Attestations;

/// <summary>How an image was built: from what, by whom, in which run, with which tools (SLSA provenance, version 1).</summary>
internal static class Provenance
{
    // Names this way of building, as SLSA asks for; a tag: address needs no server (RFC 4151).
    private const string BuildType = "tag:cake-k3s,2026:image-build/v1";
    private const string BuilderType = "tag:cake-k3s,2026:builder/";

    /// <summary>The predicate.</summary>
    /// <param name="record">The build.</param>
    /// <param name="inputs">What the image was made from.</param>
    /// <param name="environment">The environment's name.</param>
    /// <param name="origin">Who ran it, and where.</param>
    /// <param name="remote">The address of the git repository; null if it has none.</param>
    /// <param name="builder">The builder and where it comes from.</param>
    /// <param name="started">When the build began.</param>
    /// <param name="finished">When it ended.</param>
    public static JsonObject Predicate(
        BuildRecord record,
        BuildInputs inputs,
        string environment,
        RunOrigin origin,
        string? remote,
        string builder,
        DateTimeOffset started,
        DateTimeOffset finished)
    {
        var dependencies = new JsonArray();
        if (record.Commit is { } commit)
        {
            dependencies.Add(new JsonObject
            {
                ["uri"] = "git+" + (remote ?? "file:."),
                ["digest"] = new JsonObject { ["gitCommit"] = commit },
            });
        }

        foreach (var (name, pin) in inputs.Bases)
        {
            var dependency = new JsonObject { ["uri"] = "docker://" + pin, ["name"] = name };
            if (BaseImageLock.TryParse(pin)?.Digest is { } digest)
            {
                dependency["digest"] = new JsonObject { ["sha256"] = digest.Hex };
            }

            dependencies.Add(dependency);
        }

        var metadata = new JsonObject { ["startedOn"] = Time(started), ["finishedOn"] = Time(finished) };
        if (origin.CiRun is { } run)
        {
            metadata["invocationId"] = run;
        }

        return new JsonObject
        {
            ["buildDefinition"] = new JsonObject
            {
                ["buildType"] = BuildType,
                ["externalParameters"] = new JsonObject
                {
                    ["image"] = record.Image,
                    ["environment"] = environment,
                    ["dockerfile"] = inputs.Image.Dockerfile,
                    ["target"] = inputs.Image.Target,
                    ["platform"] = inputs.Platform,
                    ["arguments"] = new JsonObject(inputs.Arguments.Select(argument => KeyValuePair.Create(argument.Key, (JsonNode?)argument.Value))),
                },
                ["internalParameters"] = new JsonObject
                {
                    ["contentKey"] = record.ContentKey,
                    ["prepare"] = inputs.Image.Prepare,
                    ["filesDifferFromCommit"] = record.IsDirty,
                },
                ["resolvedDependencies"] = dependencies,
            },
            ["runDetails"] = new JsonObject
            {
                ["builder"] = new JsonObject { ["id"] = BuilderType + origin.By, ["version"] = new JsonObject { ["buildx"] = builder } },
                ["metadata"] = metadata,
            },
        };
    }

    /// <summary>The predicate in lines for a person: from what, by whom, when.</summary>
    public static IEnumerable<string> Describe(JsonNode predicate)
    {
        var definition = predicate["buildDefinition"];
        var details = predicate["runDetails"];
        var dependencies = (definition?["resolvedDependencies"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        foreach (var source in dependencies.Where(dependency => dependency["digest"]?["gitCommit"] is not null))
        {
            var dirty = definition?["internalParameters"]?["filesDifferFromCommit"]?.GetValueKind() == System.Text.Json.JsonValueKind.True;
            yield return $"commit {source["digest"]!["gitCommit"]} of {source["uri"]}{(dirty ? ", with files that differed from it" : "")}";
        }

        foreach (var image in dependencies.Where(dependency => dependency["digest"]?["gitCommit"] is null))
        {
            yield return $"on {image["uri"]}";
        }

        var by = details?["builder"]?["id"]?.ToString() ?? "";
        var run = details?["metadata"]?["invocationId"] is { } id ? $" in {id}" : "";
        yield return $"built by {(by.StartsWith(BuilderType, StringComparison.Ordinal) ? by[BuilderType.Length..] : by)}{run}"
            + $", {details?["metadata"]?["finishedOn"]}, with buildx {details?["builder"]?["version"]?["buildx"]}, for {definition?["externalParameters"]?["environment"]}";
    }

    /// <summary>When the build ended; null if it does not say.</summary>
    public static DateTimeOffset? FinishedOn(JsonNode predicate) =>
        DateTimeOffset.TryParse(predicate["runDetails"]?["metadata"]?["finishedOn"]?.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
