using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Scaling;

/// <summary>Adds up what a bucket holds.</summary>
internal static class BucketSize
{
    private const double Gigabyte = 1e9;

    /// <summary>The size of all objects, in GB (10⁹ bytes). A thousand objects take one request.</summary>
    /// <exception cref="AmazonServiceException">The bucket cannot be listed.</exception>
    public static async Task<double> GigabytesAsync(ObjectStorageSettings settings, StorageKey key, CancellationToken cancellationToken)
    {
        using var client = new AmazonS3Client(
            new BasicAWSCredentials(key.Id.Reveal(), key.Value.Reveal()),
            new AmazonS3Config { ServiceURL = settings.Endpoint, AuthenticationRegion = settings.Region, ForcePathStyle = true, Timeout = TimeSpan.FromSeconds(30) });
        var request = new ListObjectsV2Request { BucketName = settings.Bucket };
        var bytes = 0d;
        ListObjectsV2Response page;
        do
        {
            page = await client.ListObjectsV2Async(request, cancellationToken);
            request.ContinuationToken = page.NextContinuationToken;
            bytes += (page.S3Objects ?? []).Sum(item => item.Size ?? 0);
        }
        while (page.IsTruncated == true);

        return bytes / Gigabyte;
    }
}
