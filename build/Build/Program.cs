using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Sandbox;

return new CakeHost()
    .UseK3s()
    .UseSandbox()
    .Run(args);
