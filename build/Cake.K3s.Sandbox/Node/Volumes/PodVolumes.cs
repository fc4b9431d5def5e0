using System.Text;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Volumes;

/// <summary>The volumes of a pod as folders and files of this machine, which the engine mounts into its containers.</summary>
internal sealed class PodVolumes(NodeOptions options, PodSources sources, ClusterClient client, TimeProvider time)
{
    private const int DefaultMode = 0x1A4;
    private const UnixFileMode Everybody = (UnixFileMode)0x1FF;

    /// <summary>The folder of a pod; everything of it is gone when this is.</summary>
    public string Folder(string podUid) => Path.Combine(options.StateDirectory, "pods", podUid);

    /// <summary>Sets up, or brings up to date, every volume; returns the path of each by its name.</summary>
    /// <exception cref="VolumeException">Something that a volume needs is not there.</exception>
    public async Task<IReadOnlyDictionary<string, string>> PrepareAsync(V1Pod pod, PodPlace place, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Folder(pod.Metadata.Uid));
        var result = new Dictionary<string, string>();
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            try
            {
                result[volume.Name] = await PrepareAsync(pod, volume, place, cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ContainerConfigException)
            {
                throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume.Name}\" : {e.Message}");
            }
        }

        return result;
    }

    /// <summary>The file into which an instance of a container may write its last words; made when missing.</summary>
    public string TerminationLog(V1Pod pod, V1Container container, int restartCount)
    {
        var path = TerminationLog(pod, container.Name, restartCount);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, []);
        FileAccessRights.Allow(path, Everybody & ~(UnixFileMode)0x49);
        return path;
    }

    /// <summary>The path of that file.</summary>
    public string TerminationLog(V1Pod pod, string container, int restartCount) =>
        Path.Combine(Folder(pod.Metadata.Uid), "containers", container, $"{restartCount}.log");

    /// <summary>The mounts of a container, as Docker writes them.</summary>
    /// <exception cref="ContainerConfigException">A sub-path leads out of its volume.</exception>
    public static IReadOnlyList<string> Binds(
        V1Container container, IReadOnlyDictionary<string, string> volumes, IReadOnlyDictionary<string, string> environment, V1Pod pod)
    {
        var binds = new List<string>();
        foreach (var mount in container.VolumeMounts ?? [])
        {
            var source = volumes[mount.Name];
            var inside = string.IsNullOrEmpty(mount.SubPathExpr) ? mount.SubPath : VariableExpansion.Expand(mount.SubPathExpr, environment);
            if (!string.IsNullOrEmpty(inside))
            {
                source = Path.GetFullPath(Path.Combine(source, inside));
                if (!source.StartsWith(volumes[mount.Name], StringComparison.Ordinal))
                {
                    throw new ContainerConfigException($"failed to prepare subPath for volumeMount \"{mount.Name}\" of container \"{container.Name}\"");
                }

                if (!File.Exists(source) && !Directory.Exists(source))
                {
                    Directory.CreateDirectory(source);
                    FileAccessRights.Allow(source, Everybody);
                }
                else if (File.ResolveLinkTarget(source, returnFinalTarget: true) is { } target)
                {
                    source = target.FullName;
                }
            }

            var volume = pod.Spec.Volumes.First(v => v.Name == mount.Name);
            var readOnly = mount.ReadOnlyProperty == true || volume.ConfigMap is not null || volume.Secret is not null
                || volume.Projected is not null || volume.DownwardAPI is not null;
            binds.Add($"{source}:{mount.MountPath}{(readOnly ? ":ro" : "")}");
        }

        return binds;
    }

    /// <summary>Removes everything of a pod.</summary>
    public void Remove(string podUid)
    {
        foreach (var folder in new[] { Folder(podUid), MemoryFolder(podUid) })
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>The uids of all pods that have a folder.</summary>
    public IEnumerable<string> Known()
    {
        var root = Path.Combine(options.StateDirectory, "pods");
        return Directory.Exists(root) ? Directory.EnumerateDirectories(root).Select(path => Path.GetFileName(path)!) : [];
    }

    private string MemoryFolder(string podUid) => Path.Combine("/dev/shm", $"{options.ClusterId}-{podUid}");

    private async Task<string> PrepareAsync(V1Pod pod, V1Volume volume, PodPlace place, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(Folder(pod.Metadata.Uid), "volumes", volume.Name);
        var group = pod.Spec.SecurityContext?.FsGroup;
        if (volume.EmptyDir is { } empty)
        {
            // /dev/shm is memory already; mounting a file system for each pod would need rights that the rest does not.
            var path = empty.Medium == "Memory" && Directory.Exists("/dev/shm") ? Path.Combine(MemoryFolder(pod.Metadata.Uid), volume.Name) : folder;
            return MakeWritable(path, group);
        }

        if (volume.HostPath is { } host)
        {
            return HostFolder(volume.Name, host);
        }

        if (volume.PersistentVolumeClaim is { } claim)
        {
            return await ClaimedAsync(pod, claim, group, cancellationToken);
        }

        var files = await FilesAsync(pod, volume, place, cancellationToken);
        AtomicFolder.Publish(folder, files, group, time.GetUtcNow());
        return folder;
    }

    private async Task<IReadOnlyDictionary<string, VolumeFile>> FilesAsync(V1Pod pod, V1Volume volume, PodPlace place, CancellationToken cancellationToken)
    {
        if (volume.ConfigMap is { } map)
        {
            return await ConfigMapAsync(pod, map.Name, map.Items, map.DefaultMode, map.Optional == true, cancellationToken);
        }

        if (volume.Secret is { } secret)
        {
            return await SecretAsync(pod, secret.SecretName, secret.Items, secret.DefaultMode, secret.Optional == true, cancellationToken);
        }

        if (volume.DownwardAPI is { } downward)
        {
            return Downward(pod, downward.Items, downward.DefaultMode, place);
        }

        if (volume.Projected is not { } projected)
        {
            throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume.Name}\" : no volume plugin matched; the sandbox has emptyDir, configMap, secret, projected, downwardAPI, hostPath and persistentVolumeClaim");
        }

        var all = new Dictionary<string, VolumeFile>();
        foreach (var source in projected.Sources ?? [])
        {
            var part = source.ConfigMap is { } m ? await ConfigMapAsync(pod, m.Name, m.Items, projected.DefaultMode, m.Optional == true, cancellationToken)
                : source.Secret is { } s ? await SecretAsync(pod, s.Name, s.Items, projected.DefaultMode, s.Optional == true, cancellationToken)
                : source.DownwardAPI is { } d ? Downward(pod, d.Items, projected.DefaultMode, place)
                : source.ServiceAccountToken is { } t ? await TokenAsync(pod, t, projected.DefaultMode, cancellationToken)
                : [];
            foreach (var (path, file) in part)
            {
                all[path] = file;
            }
        }

        return all;
    }

    private async Task<Dictionary<string, VolumeFile>> ConfigMapAsync(
        V1Pod pod, string name, IList<V1KeyToPath>? items, int? mode, bool optional, CancellationToken cancellationToken)
    {
        var found = await sources.ConfigMapAsync(pod.Metadata.NamespaceProperty, name, cancellationToken);
        if (found is null && !optional)
        {
            throw new ContainerConfigException($"configmap \"{name}\" not found");
        }

        var content = (found?.Data ?? new Dictionary<string, string>()).ToDictionary(pair => pair.Key, pair => Encoding.UTF8.GetBytes(pair.Value));
        foreach (var (key, value) in found?.BinaryData ?? new Dictionary<string, byte[]>())
        {
            content[key] = value;
        }

        return Select(content, items, mode, optional, "configmap references non-existent config key");
    }

    private async Task<Dictionary<string, VolumeFile>> SecretAsync(
        V1Pod pod, string name, IList<V1KeyToPath>? items, int? mode, bool optional, CancellationToken cancellationToken)
    {
        var found = await sources.SecretAsync(pod.Metadata.NamespaceProperty, name, cancellationToken);
        if (found is null && !optional)
        {
            throw new ContainerConfigException($"secret \"{name}\" not found");
        }

        var content = (found?.Data ?? new Dictionary<string, byte[]>()).ToDictionary();
        return Select(content, items, mode, optional, "references non-existent secret key");
    }

    private static Dictionary<string, VolumeFile> Select(
        Dictionary<string, byte[]> content, IList<V1KeyToPath>? items, int? mode, bool optional, string missing)
    {
        if (items is not { Count: > 0 })
        {
            return content.ToDictionary(pair => pair.Key, pair => new VolumeFile(pair.Value, mode ?? DefaultMode));
        }

        var result = new Dictionary<string, VolumeFile>();
        foreach (var item in items)
        {
            if (content.TryGetValue(item.Key, out var value))
            {
                result[item.Path] = new(value, item.Mode ?? mode ?? DefaultMode);
            }
            else if (!optional)
            {
                throw new ContainerConfigException($"{missing}: {item.Key}");
            }
        }

        return result;
    }

    private static Dictionary<string, VolumeFile> Downward(V1Pod pod, IList<V1DownwardAPIVolumeFile>? items, int? mode, PodPlace place)
    {
        var result = new Dictionary<string, VolumeFile>();
        foreach (var item in items ?? [])
        {
            var text = item.FieldRef is { } field
                ? DownwardApi.Field(pod, field.FieldPath, place.PodAddress, place.HostAddress)
                : DownwardApi.Resource(pod, pod.Spec.Containers[0], item.ResourceFieldRef, place.Allocatable);
            result[item.Path] = new(Encoding.UTF8.GetBytes(text), item.Mode ?? mode ?? DefaultMode);
        }

        return result;
    }

    private async Task<Dictionary<string, VolumeFile>> TokenAsync(
        V1Pod pod, V1ServiceAccountTokenProjection projection, int? mode, CancellationToken cancellationToken)
    {
        var request = new Authenticationv1TokenRequest
        {
            ApiVersion = "authentication.k8s.io/v1",
            Kind = "TokenRequest",
            Spec = new V1TokenRequestSpec
            {
                Audiences = string.IsNullOrEmpty(projection.Audience) ? [] : [projection.Audience],
                ExpirationSeconds = projection.ExpirationSeconds,
                BoundObjectRef = new V1BoundObjectReference { ApiVersion = "v1", Kind = "Pod", Name = pod.Metadata.Name, Uid = pod.Metadata.Uid },
            },
        };
        var account = new ObjectKey(pod.Metadata.NamespaceProperty, pod.Spec.ServiceAccountName ?? "default");
        try
        {
            var answer = await client.PostAsync<V1ServiceAccount>(account, "token", request, cancellationToken);
            return new() { [projection.Path] = new(Encoding.UTF8.GetBytes(answer?["status"]?["token"]?.GetValue<string>() ?? ""), mode ?? DefaultMode) };
        }
        catch (ApiException e)
        {
            throw new ContainerConfigException($"failed to fetch token: {e.Message}");
        }
    }

    private async Task<string> ClaimedAsync(V1Pod pod, V1PersistentVolumeClaimVolumeSource source, long? group, CancellationToken cancellationToken)
    {
        var claim = await client.FindAsync<V1PersistentVolumeClaim>(new(pod.Metadata.NamespaceProperty, source.ClaimName), cancellationToken)
            ?? throw new ContainerConfigException($"persistentvolumeclaim \"{source.ClaimName}\" not found");
        if (claim.Status?.Phase != "Bound" || string.IsNullOrEmpty(claim.Spec.VolumeName))
        {
            throw new ContainerConfigException($"PVC {source.ClaimName} is not bound");
        }

        var volume = await client.GetAsync<V1PersistentVolume>(new("", claim.Spec.VolumeName), cancellationToken);
        var path = volume.Spec.HostPath?.Path ?? volume.Spec.Local?.Path
            ?? throw new ContainerConfigException($"the sandbox mounts hostPath and local volumes only; {claim.Spec.VolumeName} is neither");
        return MakeWritable(path, group);
    }

    private static string MakeWritable(string path, long? group)
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path);
            FileAccessRights.Allow(path, group is null ? Everybody : Everybody | UnixFileMode.SetGroup);
            FileAccessRights.GiveToGroup(path, group);
        }

        return path;
    }

    private static string HostFolder(string volume, V1HostPathVolumeSource host)
    {
        switch (host.Type)
        {
            case "DirectoryOrCreate":
                Directory.CreateDirectory(host.Path);
                break;
            case "FileOrCreate" when !File.Exists(host.Path):
                File.WriteAllBytes(host.Path, []);
                break;
            case "Directory" when !Directory.Exists(host.Path):
                throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume}\" : hostPath type check failed: {host.Path} is not a directory");
            case "File" when !File.Exists(host.Path):
                throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume}\" : hostPath type check failed: {host.Path} is not a file");
        }

        return host.Path;
    }
}
