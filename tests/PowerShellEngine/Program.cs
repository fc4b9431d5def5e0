using System.Management.Automation;
using System.Management.Automation.Runspaces;

// powershell-engine SCRIPT ARGUMENT… : output, errors, standard input and exit status are the script's.
var state = InitialSessionState.CreateDefault2();
using var cmdlets = new StreamReader(typeof(Program).Assembly.GetManifestResourceStream("Cmdlets.ps1")!);
using var runspace = RunspaceFactory.CreateRunspace(state);
runspace.Open();
using (var definitions = PowerShell.Create(runspace))
{
    definitions.AddScript(await cmdlets.ReadToEndAsync(), useLocalScope: false).Invoke();
}

using var script = PowerShell.Create(runspace);
script.AddCommand(Path.GetFullPath(args[0]));
foreach (var argument in args[1..])
{
    script.AddArgument(argument);
}

var output = new PSDataCollection<PSObject>();
output.DataAdded += (_, added) => Console.Out.WriteLine(output[added.Index]);
script.Streams.Error.DataAdded += (_, added) => Console.Error.WriteLine(script.Streams.Error[added.Index]);
try
{
    if (Console.IsInputRedirected)
    {
        script.Invoke(Lines(Console.In), output);
    }
    else
    {
        script.Invoke(null, output);
    }
}
catch (RuntimeException error)
{
    await Console.Error.WriteLineAsync($"{error.ErrorRecord.InvocationInfo?.PositionMessage}\n{error.Message}");
    return 1;
}

return (int?)runspace.SessionStateProxy.GetVariable("LASTEXITCODE") ?? 0;

static IEnumerable<string> Lines(TextReader reader)
{
    while (reader.ReadLine() is { } line)
    {
        yield return line;
    }
}
