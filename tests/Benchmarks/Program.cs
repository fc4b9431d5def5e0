using Benchmarks;

if (args is ["all", .. var switches])
{
    return await AllBenchmarks.RunAsync(isShort: switches is ["--short"]);
}

if (args is ["noop"])
{
    return await NoopBenchmark.RunAsync();
}

if (args is ["verdict"])
{
    return await VerdictBenchmark.RunAsync();
}

if (args is ["parts"])
{
    return Parts.Run();
}

if (args is ["start", ..])
{
    return await StartBenchmark.RunAsync();
}

if (args is ["apply", .. var sizes])
{
    return await ApplyBenchmark.RunAsync(sizes is [] ? [200, 1000, 2000] : [.. sizes.Select(int.Parse)]);
}

// Started by the apply benchmark: each side is a process of its own, as it is in real use.
if (args is ["serve-api", var state])
{
    return await ApiProcess.ServeAsync(state);
}

if (args is ["apply-once", var kubeconfig, var namespaceName, var folder])
{
    return await ApplyOnce.RunAsync(kubeconfig, namespaceName, folder);
}

if (args is ["push", ..])
{
    return await PushBenchmark.RunAsync();
}

if (args is ["harden", .. var count])
{
    return await HardenBenchmark.RunAsync(count is [var rounds] ? int.Parse(rounds) : 3);
}

if (args is ["unchanged", ..])
{
    return await UnchangedBenchmark.RunAsync();
}

Console.Error.WriteLine("Usage: dotnet run --project tests/Benchmarks -c Release -- all [--short] | start | noop | verdict | parts | push | unchanged | harden [ROUNDS] | apply [SIZE...]");
return 2;
