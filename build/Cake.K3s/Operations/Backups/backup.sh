# One backup: a dump and the number of rows of each table, both of the same moment, encrypted before they leave the pod.
set -eu
umask 077
cd /scratch
rm -rf dump rows backup.tar backup.tar.age
name="$BACKUP_PREFIX/$(date -u +%Y%m%dT%H%M%SZ).tar.age"

# The last line of what is logged is what the operator is told first.
step="dump database $PGDATABASE at $PGHOST:$PGPORT: see that the secret of backup.database has its address, and that it takes connections from here"
trap '[ $? -eq 0 ] || echo "cannot $step" >&2' EXIT
psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --file /scripts/dump.sql
tar -cf backup.tar dump rows
step="encrypt the dump for $BACKUP_RECIPIENT"
age --encrypt --recipient "$BACKUP_RECIPIENT" --output backup.tar.age backup.tar

step="store $name in $BACKUP_BUCKET: see that backup.storage names the bucket, and that the key of backup.storage.writer may write to it"
# The address and the key come from a file; the checksum makes the store refuse what does not arrive as it was sent.
sum=$(sha256sum backup.tar.age | cut -d ' ' -f 1)
curl --config /credentials/curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    --header "x-amz-content-sha256: $sum" --upload-file backup.tar.age "$BACKUP_BUCKET/$name"
echo "stored $name, $(stat -c %s backup.tar.age) bytes, $(wc -l < rows) tables"
