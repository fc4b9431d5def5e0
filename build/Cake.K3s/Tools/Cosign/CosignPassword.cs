using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Tools.Cosign;

/// <summary>Gives cosign a private key's password, by its environment.</summary>
internal static class CosignPassword
{
    /// <summary>The command with the password; an empty one keeps cosign from asking a terminal.</summary>
    public static Command Give(Command command, Secret? password) => password is null
        ? command with { Environment = command.Environment.SetItem(CosignArguments.PasswordVariable, "") }
        : command with { SecretEnvironment = command.SecretEnvironment.SetItem(CosignArguments.PasswordVariable, password) };
}
