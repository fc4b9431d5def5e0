using System.Net.Http.Headers;
using System.Text;
using Cake.K3s.Settings;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Cake.K3s.Notifications;

/// <summary>Sends one message.</summary>
internal sealed class NotificationSender(HttpClient http, SecretReader secrets)
{
    private const int TlsFromTheStart = 465;

    /// <summary>Sends it to where the settings say.</summary>
    /// <param name="settings">Where to.</param>
    /// <param name="result">What it tells.</param>
    /// <param name="root">Absolute path of the directory of deploy.yaml, for secrets.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="K3sException">A secret is missing, or the other side does not take it.</exception>
    public Task SendAsync(NotificationSettings settings, RunResult result, string root, CancellationToken cancellationToken) => settings switch
    {
        { Slack: { } slack } => SlackAsync(slack, result, root, cancellationToken),
        { Webhook: { } webhook } => WebhookAsync(webhook, result, root, cancellationToken),
        _ => MailAsync(settings.Email!, result, root, cancellationToken),
    };

    private async Task SlackAsync(SecretSource source, RunResult result, string root, CancellationToken cancellationToken)
    {
        var address = await secrets.ReadAsync("the address of the Slack webhook", source, root, cancellationToken);
        if (!Uri.TryCreate(address.Reveal(), UriKind.Absolute, out var target))
        {
            throw new K3sException(ExitCodes.BadInput, "the secret of the Slack webhook is not an address", "It is what Slack shows for an incoming webhook: https://hooks.slack.com/services/...");
        }

        await PostAsync("Slack", new HttpRequestMessage(HttpMethod.Post, target), NotificationText.Slack(result), cancellationToken);
    }

    private async Task WebhookAsync(WebhookSettings webhook, RunResult result, string root, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, webhook.Address);
        if (webhook.Token is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await secrets.ReadAsync("the token of the webhook", token, root, cancellationToken)).Reveal());
        }

        await PostAsync(request.RequestUri!.Host, request, NotificationText.Json(result), cancellationToken);
    }

    private async Task PostAsync(string name, HttpRequestMessage request, string body, CancellationToken cancellationToken)
    {
        using (request)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            try
            {
                using var response = await http.SendAsync(request, cancellationToken);
                if (!response.IsSuccessStatusCode)
                {
                    throw Refused(name, $"it answered {(int)response.StatusCode}");
                }
            }
            catch (HttpRequestException unreachable)
            {
                throw Refused(name, unreachable.GetBaseException().Message, unreachable);
            }
        }
    }

    private async Task MailAsync(EmailSettings mail, RunResult result, string root, CancellationToken cancellationToken)
    {
        using var message = new MimeMessage();
        message.From.Add(MailboxAddress.Parse(mail.From));
        message.To.AddRange(mail.To.Select(MailboxAddress.Parse));
        message.Subject = NotificationText.Subject(result);
        message.Body = new TextPart("plain") { Text = NotificationText.Body(result) + "\n" };
        using var client = new SmtpClient();
        try
        {
            // A password, and what failed, are not for everybody on the way.
            var security = mail.Port == TlsFromTheStart ? SecureSocketOptions.SslOnConnect
                : mail.Insecure ? SecureSocketOptions.StartTlsWhenAvailable
                : SecureSocketOptions.StartTls;
            await client.ConnectAsync(mail.Server, mail.Port, security, cancellationToken);
            if (mail.User is { } user)
            {
                var password = mail.Password is { } source
                    ? await secrets.ReadAsync("the password of the mail server", source, root, cancellationToken)
                    : throw new K3sException(ExitCodes.BadInput, $"the mail user {user} has no password", "Say where it comes from as email.password.");
                await client.AuthenticateAsync(user, password.Reveal(), cancellationToken);
            }

            await client.SendAsync(message, cancellationToken);
            await client.DisconnectAsync(quit: true, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException or MailKit.ProtocolException or MailKit.CommandException
            or AuthenticationException or SslHandshakeException or NotSupportedException)
        {
            throw Refused($"mail server {mail.Server}", failure.Message.ReplaceLineEndings(" "), failure);
        }
    }

    private static K3sException Refused(string name, string why, Exception? cause = null) =>
        new(ExitCodes.Failed, $"{name} did not take the message: {why}", "Correct 'notifications' of the environment in deploy.yaml, or the secret that it names.", innerException: cause);
}
