namespace Cake.Frosting.CommandLine;

/// <summary>One of the host's own switches.</summary>
/// <param name="Names">Its names with their dashes; the first is the one that is shown.</param>
/// <param name="ValueName">What its value is called in <c>--help</c>; null for a flag.</param>
/// <param name="Summary">What it does.</param>
internal sealed record HostSwitch(string[] Names, string? ValueName, string Summary)
{
    public static readonly HostSwitch Target = new(["--target", "-t", "--Target"], "TASK", "The task to run; may be given several times. Default: Default.");
    public static readonly HostSwitch Exclusive = new(["--exclusive", "-e"], null, "Run the target without its dependencies.");
    public static readonly HostSwitch DryRun = new(["--dryrun", "--noop", "--whatif"], null, "Show which tasks would run; run none.");
    public static readonly HostSwitch Tree = new(["--tree", "--showtree"], null, "Show which task depends on which.");
    public static readonly HostSwitch Description = new(
        ["--description", "--descriptions", "--showdescription", "--showdescriptions"], null, "List the tasks with their descriptions.");
    public static readonly HostSwitch Verbosity = new(["--verbosity", "-v"], "LEVEL", "quiet, minimal, normal, verbose or diagnostic. Default: normal.");
    public static readonly HostSwitch Working = new(["--working", "-w"], "DIRECTORY", "The working directory.");
    public static readonly HostSwitch Version = new(["--version", "--ver"], null, "Show the version.");
    public static readonly HostSwitch Info = new(["--info"], null, "Show the version and what it is made of.");
    public static readonly HostSwitch Help = new(["--help", "-h"], null, "Show this help.");

    public static readonly IReadOnlyList<HostSwitch> All =
        [Target, Exclusive, DryRun, Tree, Description, Verbosity, Working, Version, Info, Help];

    /// <summary>The name that is shown, with its dashes.</summary>
    public string Name => Names[0];
}
