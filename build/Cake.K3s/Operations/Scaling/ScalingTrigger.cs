using System.Collections.Immutable;
using System.Globalization;

namespace Cake.K3s.Operations.Scaling;

/// <summary>A figure of which the roadmap says that something is to be done when it goes above its limit.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Limit">Its limit.</param>
/// <param name="Unit">Its unit, as it is written behind a number.</param>
/// <param name="Action">What to do above the limit.</param>
internal sealed record ScalingTrigger(string Name, double Limit, string Unit, string Action)
{
    /// <summary>All of them.</summary>
    public static ImmutableArray<ScalingTrigger> All { get; } =
    [
        Latency, Cpu, Connections, RedisMemory, Storage, Users, Revenue,
    ];

    /// <summary>The slowest of a hundred requests, in the last hour.</summary>
    public static ScalingTrigger Latency => new("p99 latency", 500, " ms", "find the slow route in the dashboard App; add an index or a cache before replicas");

    /// <summary>The CPU that the API's pods use, of what they ask for, in the last hour.</summary>
    public static ScalingTrigger Cpu => new("API CPU", 70, " %", "raise the replicas of the api, and their requests where one pod alone is busy");

    /// <summary>The database's connections, of those that it allows.</summary>
    public static ScalingTrigger Connections => new("database connections", 80, " %", "use the provider's pooled address, or a larger plan; lower each pod's pool");

    /// <summary>Redis' memory, of its <c>maxmemory</c>.</summary>
    public static ScalingTrigger RedisMemory => new("Redis memory", 80, " %", "look for keys without an expiry; raise maxmemory and the pod's limit together");

    /// <summary>All objects of the bucket.</summary>
    public static ScalingTrigger Storage => new("object storage", 500, " GB", "set a life cycle for old files, and compare what a CDN before the bucket costs");

    /// <summary>The users of a month.</summary>
    public static ScalingTrigger Users => new("active users", 100_000, "", "plan a second region, and a database with read replicas");

    /// <summary>The revenue of a month.</summary>
    public static ScalingTrigger Revenue => new("revenue a month", 5_000, "", "pay for a managed control plane, and somebody on call");
}

/// <summary>A trigger with what was read for it.</summary>
/// <param name="Trigger">The trigger.</param>
/// <param name="Value">The figure; null where it could not be read.</param>
/// <param name="Why">Why it could not be read; null where it could.</param>
internal sealed record ScalingFigure(ScalingTrigger Trigger, double? Value, string? Why)
{
    /// <summary>Whether something is to be done.</summary>
    public bool IsOver => Value > Trigger.Limit;

    /// <summary>The lines of a table. A figure that could not be read is said to be unknown: none is guessed.</summary>
    public static IEnumerable<string> Lines(IEnumerable<ScalingFigure> figures)
    {
        IEnumerable<string[]> rows =
        [
            ["TRIGGER", "VALUE", "LIMIT", "", "WHAT TO DO"],
            .. figures.Select(figure => new[]
            {
                figure.Trigger.Name,
                figure.Value is { } value ? Number(value) + figure.Trigger.Unit : "unknown",
                Number(figure.Trigger.Limit) + figure.Trigger.Unit,
                figure.Value is null ? "?" : figure.IsOver ? "over" : "ok",
                figure.Why ?? (figure.IsOver ? figure.Trigger.Action : ""),
            }),
        ];
        var table = rows.ToList();
        var widths = Enumerable.Range(0, 4).Select(column => table.Max(row => row[column].Length) + 2).ToList();
        return table.Select(row => string.Concat(widths.Select((width, column) => row[column].PadRight(width)).Append(row[4])).TrimEnd());
    }

    private static string Number(double value) => value.ToString(Math.Abs(value) < 100 ? "0.#" : "#,0", CultureInfo.InvariantCulture);
}
