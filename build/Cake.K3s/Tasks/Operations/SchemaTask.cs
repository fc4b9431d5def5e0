using Cake.Frosting;
using Cake.K3s.Reporting;
using Cake.K3s.Settings.Schema;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Write deploy.schema.json, from which an editor completes and checks deploy.yaml.</summary>
[TaskName("Schema")]
[TaskDescription("Write deploy.schema.json, from which an editor completes and checks deploy.yaml.")]
[LeavesNoReport]
public sealed class SchemaTask(Lazy<SchemaFile> file) : FrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override void Run(K3sContext context) => file.Value.Refresh();
}
