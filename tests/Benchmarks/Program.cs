using Benchmarks;

if (args is ["start", ..])
{
    return await StartBenchmark.RunAsync();
}

Console.Error.WriteLine("Usage: dotnet run --project tests/Benchmarks -c Release -- start");
return 2;
