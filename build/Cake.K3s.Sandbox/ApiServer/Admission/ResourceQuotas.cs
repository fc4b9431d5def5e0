using System.Numerics;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Schemas;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Refuses what would take more of a namespace's quota than there is.</summary>
internal sealed class ResourceQuotas(ObjectStore store)
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Checks an object against the quotas of its namespace. The result must be disposed when it is stored.</summary>
    /// <exception cref="ApiException">It would exceed one.</exception>
    public IDisposable? Admit(ResourceDefinition resource, JsonObject value, JsonObject? old)
    {
        if (value.Namespace() is not { Length: > 0 } inNamespace || store.List("resourcequotas", inNamespace).Objects is not { Count: > 0 } quotas)
        {
            return null;
        }

        if (old is not null && resource.StorageName is not ("pods" or "services" or "persistentvolumeclaims"))
        {
            return null;
        }

        _one.Wait();
        try
        {
            foreach (var quota in quotas)
            {
                Check(resource, value, old, quota);
            }

            return new Held(_one);
        }
        catch
        {
            _one.Release();
            throw;
        }
    }

    /// <summary>What of a quota's resources the objects of its namespace use now.</summary>
    public JsonObject Used(StoredObject quota)
    {
        var used = new JsonObject();
        foreach (var (name, hard) in Hard(quota))
        {
            used[name] = Quantities.Format(Total(quota, name, null), IsBinary(hard, name));
        }

        return used;
    }

    /// <summary>The limits, in the order in which the API names them.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Hard(StoredObject quota)
        => quota.Shared.Object("spec").Map("hard").OrderBy(limit => limit.Key, StringComparer.Ordinal);

    private void Check(ResourceDefinition resource, JsonObject value, JsonObject? old, StoredObject quota)
    {
        if (!QuotaScopes.Cover(quota.Shared.Object("spec"), resource.StorageName, value))
        {
            return;
        }

        var (asked, present, limited, missing) = (new List<string>(), new List<string>(), new List<string>(), new List<string>());
        foreach (var (name, hard) in Hard(quota))
        {
            var amount = Usage(name, resource.StorageName, value);
            if (amount is null)
            {
                continue;
            }

            if (resource.StorageName == "pods" && IsCompute(name) && Unspecified(name, value) is { Count: > 0 } without)
            {
                missing.Add($"{name} for: {string.Join(",", without)}");
                continue;
            }

            var delta = amount.Value - (old is null ? 0 : Usage(name, resource.StorageName, old) ?? 0);
            var used = Total(quota, name, old is null ? null : value.Name());
            if (delta > 0 && used + (old is null ? 0 : Usage(name, resource.StorageName, old) ?? 0) + delta > Quantities.Nano(hard))
            {
                asked.Add($"{name}={Quantities.Format(delta, IsBinary(hard, name))}");
                present.Add($"{name}={Quantities.Format(used, IsBinary(hard, name))}");
                limited.Add($"{name}={hard}");
            }
        }

        if (missing.Count > 0)
        {
            throw ApiErrors.Forbidden(resource, value.Name() ?? "", $"failed quota: {quota.Key.Name}: must specify {string.Join("; ", missing)}");
        }

        if (asked.Count > 0)
        {
            throw ApiErrors.Forbidden(resource, value.Name() ?? "",
                $"exceeded quota: {quota.Key.Name}, requested: {string.Join(',', asked)}, used: {string.Join(',', present)}, limited: {string.Join(',', limited)}");
        }
    }

    private BigInteger Total(StoredObject quota, string name, string? except)
    {
        var spec = quota.Shared.Object("spec");
        BigInteger total = 0;
        foreach (var resource in Counted(name))
        {
            foreach (var item in store.List(resource, quota.Key.Namespace).Objects)
            {
                if (item.Key.Name != except && QuotaScopes.Cover(spec, resource, item.Shared))
                {
                    total += Usage(name, resource, item.Shared) ?? 0;
                }
            }
        }

        return total;
    }

    private static IEnumerable<string> Counted(string name) => name switch
    {
        _ when IsCompute(name) => ["pods"],
        "pods" => ["pods"],
        "requests.storage" => ["persistentvolumeclaims"],
        "services.loadbalancers" or "services.nodeports" => ["services"],
        _ when name.StartsWith("count/", StringComparison.Ordinal) => [name["count/".Length..]],
        _ => [name],
    };

    private static bool IsCompute(string name)
        => name is "cpu" or "memory" || (name.StartsWith("requests.", StringComparison.Ordinal) && name != "requests.storage") || name.StartsWith("limits.", StringComparison.Ordinal);

    /// <summary>How much of a quota's resource an object uses, in billionths; null when it does not count.</summary>
    private static BigInteger? Usage(string name, string resource, JsonObject value)
    {
        var one = BigInteger.Pow(10, 9);
        if (!Counted(name).Contains(resource))
        {
            return null;
        }

        if (resource == "pods" && value.Object("status").Text("phase") is "Succeeded" or "Failed" && !name.StartsWith("count/", StringComparison.Ordinal))
        {
            return 0;
        }

        if (IsCompute(name))
        {
            var (list, what) = Split(name);
            var together = value.Object("spec").Objects("containers").Aggregate(BigInteger.Zero, (sum, container) => sum + Amount(container, list, what));

            // Init containers run one after the other, before the others.
            return value.Object("spec").Objects("initContainers").Aggregate(together, (most, container) => BigInteger.Max(most, Amount(container, list, what)));
        }

        var spec = value.Object("spec");
        return name switch
        {
            "requests.storage" => Quantities.Nano(spec.Object("resources", "requests").Text("storage") ?? "0"),
            "services.loadbalancers" => spec.Text("type") == "LoadBalancer" ? one : 0,
            "services.nodeports" => one * spec.Objects("ports").Count(port => port.Integer("nodePort") > 0),
            _ => one,
        };
    }

    private static List<string> Unspecified(string name, JsonObject pod)
    {
        var (list, what) = Split(name);
        return
        [
            .. pod.Object("spec").Objects("containers").Concat(pod.Object("spec").Objects("initContainers"))
                .Where(container => container.Object("resources", list)?[what] is null)
                .Select(container => container.Text("name") ?? "")
                .Order(StringComparer.Ordinal),
        ];
    }

    private static BigInteger Amount(JsonObject container, string list, string resource)
        => Quantities.Nano(container.Object("resources", list).Text(resource) ?? "0") ?? 0;

    private static (string List, string Resource) Split(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? ("requests", name) : (name[..dot], name[(dot + 1)..]);
    }

    private static bool IsBinary(string hard, string name) => hard.EndsWith('i') || name.EndsWith("memory", StringComparison.Ordinal) || name.EndsWith("storage", StringComparison.Ordinal);

    private sealed class Held(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
