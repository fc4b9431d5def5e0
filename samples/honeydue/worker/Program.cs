using Honeydue.Api;
using Honeydue.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using StackExchange.Redis;

var databaseUrl = Environment.GetEnvironmentVariable("DATABASE_URL")
    ?? throw new InvalidOperationException("DATABASE_URL is not set: postgres://user:password@host:port/database");
var redis = ConfigurationOptions.Parse(Environment.GetEnvironmentVariable("REDIS_ADDRESS") ?? "redis:6379");
redis.User = Environment.GetEnvironmentVariable("REDIS_USER");
redis.Password = Environment.GetEnvironmentVariable("REDIS_PASSWORD");
redis.AbortOnConnectFail = false;

var builder = Host.CreateEmptyApplicationBuilder(null);
builder.Logging.AddSimpleConsole(options => options.SingleLine = true);
builder.Services.AddSingleton(NpgsqlDataSource.Create(ConnectionUrl.ToConnectionString(databaseUrl)));
builder.Services.AddSingleton<IConnectionMultiplexer>(await ConnectionMultiplexer.ConnectAsync(redis));
builder.Services.AddHostedService<Reminders>();
await builder.Build().RunAsync();
