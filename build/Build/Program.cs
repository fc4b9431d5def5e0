using Cake.Frosting;
using Cake.K3s.Hosting;

return new CakeHost()
    .UseK3s()
    .Run(args);
