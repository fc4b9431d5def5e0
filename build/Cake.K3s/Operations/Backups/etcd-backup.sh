#!/bin/sh
# Made by Cake.K3s. Ships what a cluster is built anew from: a snapshot of etcd, the token that opens it, and K3s' settings.
# All of it is encrypted before it leaves the node.
set -eu
umask 077
server=/var/lib/rancher/k3s/server
scratch=/var/lib/cake-k3s-etcd
name="$BACKUP_PREFIX/etcd/$(hostname)/$(date -u +%Y%m%dT%H%M%SZ).tar.age"

remove_snapshots() {
    for file in "$server"/db/snapshots/cake-k3s-off-site-*; do
        if [ -e "$file" ]; then k3s etcd-snapshot delete "$(basename "$file")" >/dev/null; fi
    done
}
trap 'remove_snapshots || :; rm -rf "$scratch"' EXIT
# Of a run that was killed.
remove_snapshots
rm -rf "$scratch"
mkdir "$scratch"
cd "$scratch"

k3s etcd-snapshot save --name cake-k3s-off-site >/dev/null
snapshot=$(cd "$server/db/snapshots" && ls cake-k3s-off-site-* | head -n 1)
[ -s "$server/db/snapshots/$snapshot" ] || { echo "k3s saved no snapshot below $server/db/snapshots" >&2; exit 1; }
k3s --version >version
tar -cf backup.tar version -C "$server" token -C "$server/db/snapshots" "$snapshot" -C /etc/rancher --exclude=k3s/k3s.yaml k3s
age --encrypt --recipient "$BACKUP_RECIPIENT" --output backup.tar.age backup.tar

# The key comes from a file; the checksum makes the store refuse what does not arrive as it was sent.
sum=$(sha256sum backup.tar.age | cut -d ' ' -f 1)
curl --config /etc/cake-k3s/etcd-backup.curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    --header "x-amz-content-sha256: $sum" --upload-file backup.tar.age "$BACKUP_BUCKET/$name" || {
    echo "cannot store $name in $BACKUP_BUCKET: see that backup.storage names the bucket, and that the key of backup.storage.writer may write to it" >&2
    exit 1
}
echo "$name" >/run/cake-k3s-etcd-backup
echo "stored $name, $(stat -c %s backup.tar.age) bytes"
