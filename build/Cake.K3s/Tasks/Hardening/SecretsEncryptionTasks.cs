using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Encrypt Secrets in etcd, on all servers of a running cluster.</summary>
[TaskName("Harden-SecretsEncryption")]
[TaskDescription("Encrypt Secrets in etcd, on all servers of a running cluster.")]
public sealed class HardenSecretsEncryptionTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Decrypt Secrets in etcd again.</summary>
[TaskName("Undo-SecretsEncryption")]
[TaskDescription("Decrypt Secrets in etcd again.")]
public sealed class UndoSecretsEncryptionTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);
