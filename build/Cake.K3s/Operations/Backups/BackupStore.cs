using System.Collections.Immutable;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Backups;

/// <summary>The bucket, with the operator's key.</summary>
internal sealed class BackupStore : IDisposable
{
    private readonly BackupStorageSettings _settings;
    private readonly AmazonS3Client _client;

    private BackupStore(BackupStorageSettings settings, StorageKey key)
    {
        _settings = settings;
        _client = new AmazonS3Client(
            new BasicAWSCredentials(key.Id.Reveal(), key.Value.Reveal()),
            new AmazonS3Config
            {
                ServiceURL = settings.Endpoint,
                AuthenticationRegion = settings.Region,
                ForcePathStyle = true,
                // B2 and others refuse the checksums that the SDK sends by default since 2025.
                RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
                ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
                MaxErrorRetry = 4,
                Timeout = TimeSpan.FromSeconds(30),
            });
    }

    /// <summary>Opens it.</summary>
    /// <param name="settings">The bucket.</param>
    /// <param name="secrets">Reads the operator's key.</param>
    /// <param name="root">The directory of deploy.yaml.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">The key cannot be read.</exception>
    public static async Task<BackupStore> OpenAsync(BackupStorageSettings settings, SecretReader secrets, string root, CancellationToken cancellationToken) =>
        new(settings, await StorageKey.ReadAsync(secrets, "backup.storage.operator", settings.Operator, root, cancellationToken));

    /// <summary>The backups of one prefix, the newest first. What has another kind of name is not one.</summary>
    /// <param name="prefix">What stands before their names.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">The bucket cannot be read.</exception>
    public async Task<ImmutableArray<StoredBackup>> ListAsync(string prefix, CancellationToken cancellationToken) =>
        [.. (await ListBelowAsync(prefix, cancellationToken)).Where(backup => backup.Name.Prefix == prefix)];

    /// <summary>The backups of a prefix and of those below it, the newest first.</summary>
    /// <param name="prefix">What stands before their names.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">The bucket cannot be read.</exception>
    public async Task<ImmutableArray<StoredBackup>> ListBelowAsync(string prefix, CancellationToken cancellationToken)
    {
        var found = new List<StoredBackup>();
        var request = new ListObjectsV2Request { BucketName = _settings.Bucket, Prefix = prefix + "/" };
        ListObjectsV2Response page;
        do
        {
            page = await AskAsync("list", () => _client.ListObjectsV2Async(request, cancellationToken));
            request.ContinuationToken = page.NextContinuationToken;
            found.AddRange(
                from item in page.S3Objects ?? []
                let name = BackupName.Parse(item.Key)
                where name is not null
                select new StoredBackup(name, item.Size ?? 0));
        }
        while (page.IsTruncated == true);

        return [.. found.OrderByDescending(backup => backup.Name.MadeAt)];
    }

    /// <summary>Deletes a backup.</summary>
    /// <exception cref="K3sException">The key may not, or the bucket does not answer.</exception>
    public Task DeleteAsync(BackupName name, CancellationToken cancellationToken) =>
        AskAsync("delete from", () => _client.DeleteObjectAsync(_settings.Bucket, name.ToString(), cancellationToken));

    public void Dispose() => _client.Dispose();

    private async Task<T> AskAsync<T>(string what, Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"cannot {what} the bucket {_settings.Bucket} at {_settings.Endpoint}: {e.Message}",
                e is AmazonS3Exception { StatusCode: System.Net.HttpStatusCode.Forbidden }
                    ? "Check backup.storage.operator in deploy.yaml: its key must be of this bucket, and may list, read and delete."
                    : "Check backup.storage in deploy.yaml, and that the service is reachable from here.",
                innerException: e);
        }
    }
}
