using Cake.K3s.Settings;

namespace Cake.K3s.Processes;

/// <summary>Knows the run's secrets and hides them in text. Every line that is shown, thrown or saved passes through it.</summary>
public interface ISecretMask
{
    /// <summary>Adds a secret; each of its lines and its base64 form are hidden from now on.</summary>
    void Add(Secret secret);

    /// <summary>The text with every known secret replaced by <c>***</c>.</summary>
    string Hide(string text);
}
