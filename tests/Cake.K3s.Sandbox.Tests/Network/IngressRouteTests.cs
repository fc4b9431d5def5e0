using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Network.Ingress;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Network;

public sealed class IngressRouteTests
{
    private static readonly List<IngressRoute> Routes =
    [
        new("", "/", false, new("shop", "fallback"), "80"),
        new("*.example.com", "/", false, new("shop", "wild"), "80"),
        new("api.example.com", "/", false, new("shop", "api"), "80"),
        new("api.example.com", "/admin", false, new("shop", "admin"), "80"),
        new("api.example.com", "/admin", true, new("shop", "exact"), "80"),
    ];

    [TestCase("api.example.com", "/x", "api")]
    [TestCase("API.example.com", "/x", "api", Description = "hosts know no case")]
    [TestCase("api.example.com", "/admin/users", "admin")]
    [TestCase("api.example.com", "/admin", "exact")]
    [TestCase("api.example.com", "/administrator", "api", Description = "prefixes are whole path elements")]
    [TestCase("www.example.com", "/", "wild")]
    [TestCase("a.b.example.com", "/", "fallback", Description = "a wildcard is one label")]
    [TestCase("other.org", "/admin", "fallback")]
    public void Should_Take_The_Most_Specific_Rule_When_Several_Match(string host, string path, string service) =>
        Assert.That(IngressRoute.Choose(Routes, host, path)!.Service, Is.EqualTo(new ObjectKey("shop", service)));

    [Test]
    public void Should_Take_None_When_No_Rule_Matches() => Assert.That(IngressRoute.Choose(Routes.Skip(1), "other.org", "/"), Is.Null);

    [Test]
    public void Should_Read_Rules_And_The_Default_Backend_When_An_Ingress_Has_Both()
    {
        var ingress = KubernetesJson.Deserialize<V1Ingress>("""
            {"metadata": {"name": "web", "namespace": "shop"}, "spec": {
              "defaultBackend": {"service": {"name": "rest", "port": {"name": "http"}}},
              "rules": [{"host": "Api.example.com", "http": {"paths": [{"path": "/v1", "pathType": "Exact", "backend": {"service": {"name": "api", "port": {"number": 8000}}}}]}}]}}
            """);

        Assert.That(IngressRoute.Of(ingress), Is.EqualTo(new[]
        {
            new IngressRoute("api.example.com", "/v1", true, new("shop", "api"), "8000"),
            new IngressRoute("", "/", false, new("shop", "rest"), "http"),
        }));
    }
}
