using System.Text.Json;
using Docker.DotNet;

namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>What the engine said, without the JSON around it.</summary>
internal static class EngineError
{
    public static string Message(DockerApiException exception)
    {
        var body = exception.ResponseBody?.Trim() ?? "";
        if (!body.StartsWith('{'))
        {
            return body.Length > 0 ? body : exception.Message;
        }

        using var document = JsonDocument.Parse(body);
        return document.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? body : body;
    }
}
