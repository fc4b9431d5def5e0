using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Volumes;

/// <summary>Gives claims a folder of this machine, as K3s' local-path does.</summary>
internal sealed class LocalVolumeProvisioner : Controller
{
    public const string StorageClass = "local-path";
    private const string Provisioner = "rancher.io/local-path";
    private readonly ControllerContext _context;
    private readonly NodeOptions _options;
    private readonly Informer<V1PersistentVolumeClaim> _claims;
    private readonly Informer<V1PersistentVolume> _volumes;

    public LocalVolumeProvisioner(ControllerContext context, NodeOptions options)
        : base(context)
    {
        (_context, _options) = (context, options);
        _claims = context.Cache.Of<V1PersistentVolumeClaim>();
        _volumes = context.Cache.Of<V1PersistentVolume>();
        _claims.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _volumes.Changed += (old, now) =>
        {
            if ((now ?? old)!.Spec.ClaimRef is { } claim)
            {
                Queue.Add(new(claim.NamespaceProperty, claim.Name));
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var claim = _claims.Find(key);
        foreach (var left in _volumes.Items.Where(volume => IsOurs(volume) && volume.Spec.ClaimRef is { } reference
            && reference.NamespaceProperty == key.Namespace && reference.Name == key.Name && reference.Uid != claim?.Metadata.Uid).ToList())
        {
            await ReleaseAsync(left, cancellationToken);
        }

        if (claim is null || claim.Metadata.DeletionTimestamp is not null || claim.Status?.Phase == "Bound"
            || (claim.Spec.StorageClassName ?? StorageClass) != StorageClass)
        {
            return;
        }

        var name = $"pvc-{claim.Metadata.Uid}";
        if (_volumes.Find(new("", name)) is null)
        {
            await CreateAsync(claim, name, cancellationToken);
        }

        if (claim.Spec.VolumeName != name)
        {
            claim = await Client.PatchAsync<V1PersistentVolumeClaim>(key, new JsonObject { ["spec"] = new JsonObject { ["volumeName"] = name } }, cancellationToken);
            _claims.Observe(claim);
        }

        var status = new V1PersistentVolumeClaimStatus { Phase = "Bound", AccessModes = claim.Spec.AccessModes, Capacity = claim.Spec.Resources?.Requests };
        await StatusWriter.WriteAsync(_context, claim, claim.Status, status, cancellationToken);
    }

    private async Task CreateAsync(V1PersistentVolumeClaim claim, string name, CancellationToken cancellationToken)
    {
        var volume = new V1PersistentVolume
        {
            Metadata = new V1ObjectMeta { Name = name, Annotations = new Dictionary<string, string> { ["pv.kubernetes.io/provisioned-by"] = Provisioner } },
            Spec = new V1PersistentVolumeSpec
            {
                Capacity = claim.Spec.Resources?.Requests,
                AccessModes = claim.Spec.AccessModes,
                PersistentVolumeReclaimPolicy = "Delete",
                StorageClassName = StorageClass,
                VolumeMode = "Filesystem",
                HostPath = new V1HostPathVolumeSource { Path = Folder(name), Type = "DirectoryOrCreate" },
                ClaimRef = new V1ObjectReference
                {
                    ApiVersion = "v1",
                    Kind = "PersistentVolumeClaim",
                    Name = claim.Metadata.Name,
                    NamespaceProperty = claim.Metadata.NamespaceProperty,
                    Uid = claim.Metadata.Uid,
                },
            },
        };
        try
        {
            var created = await Client.CreateAsync(volume, cancellationToken);
            created = await StatusWriter.WriteAsync(_context, created, created.Status, new V1PersistentVolumeStatus { Phase = "Bound" }, cancellationToken);
            _volumes.Observe(created);
            Events.Normal(claim, Provisioner, "ProvisioningSucceeded", $"Successfully provisioned volume {name}");
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Made by a provisioner that was killed before it could bind the claim.
        }
    }

    private async Task ReleaseAsync(V1PersistentVolume volume, CancellationToken cancellationToken)
    {
        if (volume.Spec.PersistentVolumeReclaimPolicy != "Delete")
        {
            return;
        }

        await Client.DeleteAsync(volume, cancellationToken);
        var folder = Folder(volume.Metadata.Name);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool IsOurs(V1PersistentVolume volume) =>
        volume.Metadata.DeletionTimestamp is null && volume.Metadata.Annotations?.TryGetValue("pv.kubernetes.io/provisioned-by", out var by) == true && by == Provisioner;

    private string Folder(string volume) => Path.Combine(_options.StateDirectory, "storage", volume);
}
