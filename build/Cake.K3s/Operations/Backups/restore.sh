# Restores one backup into an empty database, and counts its rows. With RESTORE_DRILL set, into a database of its own, which it drops.
set -eu
umask 077
cd /scratch
rm -rf dump rows restored restore.sql backup.tar backup.tar.age
begin=$(date +%s)
# The last line of what is logged is what the operator is told first.
step="fetch $RESTORE_NAME from $BACKUP_BUCKET: see that backup.storage names the bucket, and that the key of backup.storage.operator may read it"
trap '[ $? -eq 0 ] || echo "cannot $step" >&2' EXIT

curl --config /credentials/curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    --header "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" \
    --output backup.tar.age "$BACKUP_BUCKET/$RESTORE_NAME"
step="decrypt $RESTORE_NAME: see that backup.identity belongs to the recipient that it was encrypted for; if it does, the backup was changed: take another with --backup"
age --decrypt --identity /credentials/identity --output backup.tar backup.tar.age
tar -xf backup.tar
fetched=$(date +%s)
step="use database $PGDATABASE at $PGHOST:$PGPORT: see that its secret has its address, and that it takes connections from here"

if [ -n "${RESTORE_DRILL:-}" ]; then
    # Of drills whose pod was killed: their databases, where nobody is connected any more.
    psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --command "SELECT datname FROM pg_database d
        WHERE datname LIKE 'cake\_k3s\_drill\_%' AND pg_has_role(datdba, 'USAGE') AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)" |
        while IFS= read -r left; do psql --no-psqlrc --quiet --command "DROP DATABASE \"$left\""; done
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --command "CREATE DATABASE \"$RESTORE_DRILL\""
    origin=$PGDATABASE
    trap 'code=$?; PGDATABASE=$origin psql --no-psqlrc --quiet --command "DROP DATABASE IF EXISTS \"$RESTORE_DRILL\" WITH (FORCE)"; [ $code -eq 0 ] || echo "cannot $step" >&2; exit $code' EXIT
    export PGDATABASE="$RESTORE_DRILL"
fi

psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --output restored --file /scripts/rows.sql
LC_ALL=C sort -o rows rows
LC_ALL=C sort -o restored restored
tables=$(wc -l < restored)
if [ "$tables" -ne 0 ] && [ "$(sha256sum < rows)" = "$(sha256sum < restored)" ]; then
    # As after a run that was killed while its Job went on.
    echo "database $PGDATABASE holds the $tables tables of $RESTORE_NAME already, with as many rows; nothing was changed"
    exit 0
fi
if [ "$tables" -ne 0 ]; then
    step="restore $RESTORE_NAME: database $PGDATABASE is not empty: it has $tables tables; nothing was changed"
    exit 4
fi

step="restore $RESTORE_NAME into database $PGDATABASE at $PGHOST:$PGPORT: the lines above say why; nothing was changed"
# As SQL, in one transaction: all or nothing.
pg_restore --exit-on-error --no-owner --no-privileges --file=restore.sql dump
version=$(psql --no-psqlrc --tuples-only --no-align --command 'SHOW server_version_num')
if [ "$version" -lt 170000 ]; then
    # pg_dump 17 writes it for every server, and older ones do not know it.
    sed -i '1,40{/^SET transaction_timeout = 0;$/d;}' restore.sql
fi
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction --output /dev/null --file restore.sql
psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --output restored --file /scripts/rows.sql
LC_ALL=C sort -o restored restored
LC_ALL=C comm -3 rows restored > differences
if [ -s differences ]; then
    cat differences >&2
    step="trust $RESTORE_NAME: the restored rows (second column above) are not those of the backup (first column)"
    exit 5
fi

rows=0
while IFS= read -r line; do rows=$((rows + ${line##*|})); done < restored
echo "restored $RESTORE_NAME: $(wc -l < restored) tables, $rows rows, all as at the time of the backup; fetched and decrypted in $((fetched - begin)) s, restored in $(($(date +%s) - fetched)) s"
