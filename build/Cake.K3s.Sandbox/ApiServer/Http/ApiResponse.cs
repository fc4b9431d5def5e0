using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>Writes answers.</summary>
internal static class ApiResponse
{
    public static Task WriteAsync(HttpContext context, int code, JsonNode value)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        JsonBody.Write(value, context.Response.BodyWriter);
        return FlushAsync(context);
    }

    public static Task WriteAsync(HttpContext context, int code, byte[] json)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        return context.Response.BodyWriter.WriteAsync(json, context.RequestAborted).AsTask();
    }

    public static async Task FailAsync(HttpContext context, ApiException exception)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        if (exception.RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await WriteAsync(context, exception.Code, exception.Status()).ConfigureAwait(false);
    }

    /// <summary>Adds a warning that kubectl shows; must come before the answer.</summary>
    public static void Warn(HttpContext context, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings)
        {
            var text = warning.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).ReplaceLineEndings(" ");
            context.Response.Headers.Append("Warning", $"299 - \"{text}\"");
        }
    }

    private static async Task FlushAsync(HttpContext context) => await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
}
