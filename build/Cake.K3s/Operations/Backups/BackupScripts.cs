using System.Text.Json.Nodes;

namespace Cake.K3s.Operations.Backups;

/// <summary>The scripts that run in the cluster and on its servers; they are files of their own beside this one.</summary>
internal static class BackupScripts
{
    private static readonly string[] Names = ["backup.sh", "dump.sql", "rows.sql", "restore.sh"];

    /// <summary>The data of a ConfigMap that holds those of the cluster.</summary>
    public static JsonObject ConfigMapData()
    {
        var data = new JsonObject();
        foreach (var name in Names)
        {
            data[name] = Read(name);
        }

        return data;
    }

    /// <summary>The text of a script.</summary>
    public static string Read(string name)
    {
        using var stream = typeof(BackupScripts).Assembly.GetManifestResourceStream("backups/" + name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
