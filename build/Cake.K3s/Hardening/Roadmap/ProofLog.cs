using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Hosting;

namespace Cake.K3s.Hardening.Roadmap;

/// <summary>When each control was last proved by its effect, and each operation last done, from this directory: <c>artifacts/audit/ENVIRONMENT.proofs.json</c>.</summary>
internal sealed class ProofLog(PipelineRun run, TimeProvider time)
{
    private string FilePath => Path.Combine(run.Options.ArtifactsDirectory, "audit", run.EnvironmentSettings.Name + ".proofs.json");

    /// <summary>The moments by name; none where nothing was proved yet, or the file cannot be read.</summary>
    public ImmutableSortedDictionary<string, DateTimeOffset> Read()
    {
        try
        {
            return (JsonNode.Parse(File.ReadAllText(FilePath)) as JsonObject ?? []).ToImmutableSortedDictionary(
                entry => entry.Key, entry => DateTimeOffset.Parse(entry.Value!.ToString(), CultureInfo.InvariantCulture), StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            // It is a memory, not a proof: what is lost is proved again.
            return ImmutableSortedDictionary<string, DateTimeOffset>.Empty;
        }
    }

    /// <summary>Keeps that something was proved, or done, now.</summary>
    public void Write(string name)
    {
        var all = new JsonObject();
        foreach (var (key, at) in Read().SetItem(name, time.GetUtcNow()))
        {
            all[key] = at.ToString("O", CultureInfo.InvariantCulture);
        }

        // Whoever is killed while he writes leaves the file as it was.
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        var draft = FilePath + ".new";
        File.WriteAllText(draft, all.ToJsonString());
        File.Move(draft, FilePath, overwrite: true);
    }
}
