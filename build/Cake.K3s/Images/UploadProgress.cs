using System.Collections.Concurrent;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images;

/// <summary>Counts what an upload of an image has read of its blobs, and reports it at each percent. Safe to call from many threads.</summary>
internal sealed class UploadProgress(string image, IReadOnlyCollection<OciDescriptor> blobs, IReporter reporter)
{
    private readonly ConcurrentDictionary<Digest, long> _read = new();
    private readonly long _total = blobs.Sum(blob => blob.Size);
    private int _percent;

    /// <summary>The same source, counted. What is sent again after a failure counts once.</summary>
    public BlobSource Count(OciDescriptor blob, OciArchive archive) => (offset, count) => archive.OpenBlob(blob, offset, count, position => Set(blob, offset + position));

    /// <summary>All of a blob is in the registry, sent or there before.</summary>
    public void Complete(OciDescriptor blob) => Set(blob, blob.Size);

    private void Set(OciDescriptor blob, long done)
    {
        _read.AddOrUpdate(blob.Digest, done, (_, before) => Math.Max(before, done));
        var sum = _read.Values.Sum();
        var percent = _total == 0 ? 100 : (int)(sum * 100 / _total);
        var last = _percent;
        if (percent > last && Interlocked.CompareExchange(ref _percent, percent, last) == last)
        {
            reporter.Report(new ImageProgressed(image, ImageStage.Upload, sum, _total, null));
        }
    }
}
