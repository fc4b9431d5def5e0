using System.Net;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Reporting;
using Cake.K3s.Tests.Hardening.Nodes;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Answers for Cloudflare's API, which no test asks.</summary>
internal sealed class CloudflareStandIn : HttpMessageHandler
{
    /// <summary>The ranges, with the last good ones in a directory.</summary>
    public static CloudflareRangeSource Source(string directory) =>
        new(new HttpClient(new CloudflareStandIn()), Path.Combine(directory, CloudflareRangeSource.FileName), new Silent());

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(CloudflareAnswer.Text) });

    private sealed class Silent : IReporter
    {
        public void Report(RunEvent runEvent)
        {
        }
    }
}
