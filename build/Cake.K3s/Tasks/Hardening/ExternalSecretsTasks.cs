using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let the app's Secrets follow Vault.</summary>
[TaskName("Harden-ExternalSecrets")]
[TaskDescription("Let the app's Secrets follow Vault.")]
public sealed class HardenExternalSecretsTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Let the app's Secrets follow Vault no more; they stay as they are.</summary>
[TaskName("Undo-ExternalSecrets")]
[TaskDescription("Let the app's Secrets follow Vault no more; they stay as they are.")]
public sealed class UndoExternalSecretsTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);
