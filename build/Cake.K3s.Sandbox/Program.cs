using Cake.K3s.Sandbox.Daemon;

if (DaemonOptions.Parse(args) is { } options)
{
    return await SandboxDaemon.RunAsync(options);
}

Console.Error.WriteLine("This is the sandbox's daemon; --target=SandboxUp starts it.");
return 2;
