using System.Collections.Immutable;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tests.Hardening;

/// <summary>A control whose state is a field.</summary>
internal sealed class FakeControl(string name) : IControl
{
    public List<string> Calls { get; } = [];

    public ControlState State { get; set; } = ControlState.Missing;

    /// <summary>What Verify finds after an apply.</summary>
    public ControlState Proof { get; init; } = ControlState.InPlace;

    public K3sException? AuditFailure { get; init; }

    public bool IsHarmless { get; init; }

    /// <summary>What proving waits for.</summary>
    public Task MayProve { get; init; } = Task.CompletedTask;

    public K3sException? ApplyFailure { get; init; }

    public string Name => name;

    public string Protects => $"Protects {name}.";

    public ControlScope Scope => ControlScope.Node;

    public Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken) =>
        AuditFailure is { } failure ? throw failure : Found(State);

    public Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) => Change("plan", State);

    public Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken) =>
        ApplyFailure is { } failure ? throw failure : Change("apply", ControlState.InPlace);

    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        Calls.Add("verify");
        await MayProve;
        return await Found(Proof);
    }

    public Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        Calls.Add("undo");
        return Task.FromResult<ImmutableArray<PlannedChange>>([]);
    }

    private Task<ImmutableArray<Finding>> Found(ControlState state) =>
        Task.FromResult<ImmutableArray<Finding>>([new Finding(Name, "node-1", state, "summary", ["evidence"])]);

    private Task<ImmutableArray<PlannedChange>> Change(string call, ControlState after)
    {
        Calls.Add(call);
        ImmutableArray<PlannedChange> changes = State == ControlState.InPlace ? [] : [new PlannedChange("node-1", "change")];
        State = after;
        return Task.FromResult(changes);
    }
}
