namespace Cake.K3s.IntegrationTests.Kubernetes.Backups;

/// <summary>An age key pair for tests alone.</summary>
internal static class BackupKeys
{
    public const string Recipient = "age1eq57c8z0mpqlf5c0vnhjfquwnzjgnwx94z7lvuqvrh86x2nyzepq34z9pk";
    public const string Identity = "AGE-SECRET-KEY-109YJ09NER945RZW7ZUYSX3X9C87HPAU5RMWZQ0SY49M9066QZ04Q4NDK0L";
}
