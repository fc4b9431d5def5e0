using System.Globalization;
using System.Text;

namespace Cake.K3s.Nodes.Changes;

/// <summary>
/// The scripts that make, confirm and take back changes on a node. What they keep there is the journal: a change that is armed was
/// neither confirmed nor taken back, and whoever comes next takes it back first.
/// </summary>
internal static class ChangeScripts
{
    /// <summary>The directory on a node that holds all that is kept there.</summary>
    public const string Root = "/var/lib/cake-k3s";

    /// <summary>There while a change is neither confirmed nor taken back.</summary>
    public const string Armed = Root + "/armed";

    /// <summary>Printed where a change failed and was taken back at once.</summary>
    public const string TakenBack = "@@taken-back";

    /// <summary>Printed where the undo came before the confirmation.</summary>
    public const string TooLate = "@@too-late";

    private const string Unit = "cake-k3s-undo";

    // Runs on the node without this program: by a timer while the node is up, by a unit of the next boot where it went down. At boot it
    // runs before the services whose files it puts back.
    private const string UndoScript = """
        #!/bin/sh
        # Takes back a change of which nobody proved that it locks nobody out. Arguments: "boot" when the node starts, "held" under the lock.
        root=/var/lib/cake-k3s
        if [ "${1-}" != held ]; then
            exec 9>"$root/lock"
            flock -w 20 9 || { kill -9 -- "-$(cat "$root/armed/group")" 2>/dev/null; flock -w 5 9; }
        fi
        cd "$root/armed" 2>/dev/null || exit 0
        same() {
            if [ -L "$1" ] || [ -L "$2" ]; then [ "$(readlink "$1")" = "$(readlink "$2")" ]; return; fi
            cmp -s "$1" "$2" && [ "$(stat -c '%a %u %g' "$1")" = "$(stat -c '%a %u %g' "$2")" ]
        }
        failed=0
        while read -r kind number path; do
            rm -f "$path.cake-k3s"
            case $kind in
            file) same "files/$number" "$path" || { cp -a "files/$number" "$path.cake-k3s" && mv -fT "$path.cake-k3s" "$path"; } || failed=1 ;;
            absent) rm -f "$path" || failed=1 ;;
            directory) rmdir "$path" 2>/dev/null ;;
            esac
        done <paths
        [ $failed = 0 ] || { echo 'cake-k3s: the former files could not be put back; they are in /var/lib/cake-k3s/armed/files' >&2; exit 1; }
        if [ "${1-}" = boot ]; then systemctl daemon-reload; else sh ./restore.sh </dev/null 9>&-; fi
        timer=$(cat id)
        sync -f .
        cd "$root" && rm -rf gone && mv armed gone && rm -rf gone
        rm -f /etc/systemd/system/cake-k3s-undo.service /etc/systemd/system/sysinit.target.wants/cake-k3s-undo.service
        [ "${1-}" = boot ] || systemctl --no-block stop "cake-k3s-undo-$timer.timer" 2>/dev/null
        exit 0
        """;

    private const string UndoUnit = """
        # Made by Cake.K3s while a change is not proved; removed with the proof.
        [Unit]
        Description=Take back a change that was not proved before the node went down
        ConditionPathExists=/var/lib/cake-k3s/armed
        DefaultDependencies=no
        RequiresMountsFor=/var/lib/cake-k3s /etc
        After=local-fs.target
        Before=sysinit.target ufw.service network-pre.target ssh.service ssh.socket
        [Service]
        Type=oneshot
        ExecStart=/bin/sh /var/lib/cake-k3s/armed/undo.sh boot
        """;

    // Keeps the files of a list of paths below ./files, and writes to ./paths how each was found.
    private const string Keep = """
        keep() {
            mkdir -p files
            : >paths
            number=0
            while read -r path; do
                number=$((number + 1))
                if [ -e "$path" ] || [ -L "$path" ]; then
                    cp -a "$path" "files/$number"
                    echo "file $number $path" >>paths
                else
                    echo "absent $number $path" >>paths
                    above=$(dirname "$path")
                    while [ ! -d "$above" ]; do
                        echo "directory 0 $above" >>paths
                        above=$(dirname "$above")
                    done
                fi
            done
        }
        """;

    private static readonly string Lock = $$"""
        set -eu
        umask 077
        export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
        mkdir -p {{Root}}
        cd {{Root}}
        exec 9>lock
        flock -w 30 9 || { echo 'another change of this node is running' >&2; exit 75; }
        """;

    /// <summary>Keeps the files, arms the undo and makes the change; whatever an earlier run left unproved is taken back first.</summary>
    /// <param name="change">The change.</param>
    /// <param name="id">Its own name: letters and digits.</param>
    /// <param name="undoAfter">How long it may stay unproved.</param>
    public static string Apply(NodeChange change, string id, TimeSpan undoAfter) => $$"""
        {{Lock}}
        free=$(df -Pk . | awk 'END { print $4 }')
        [ "$free" -ge 2048 ] || { echo "No space left on device: $free kB are free below {{Root}}" >&2; exit 1; }
        {{TakeBackArmed}}
        {{Keep}}
        trap 'rm -rf {{Root}}/new' EXIT
        rm -rf new
        mkdir new
        cd new
        # A full disk is told now, by a program that says so, and not in the middle.
        dd if=/dev/zero of=room bs=64k count=16 status=none
        rm room
        keep <<'@@PATHS'
        {{string.Join('\n', change.Paths)}}
        @@PATHS
        {{WriteOwn("undo.sh", UndoScript)}}
        {{WriteOwn("restore.sh", change.Restore)}}
        {{WriteOwn("inverse", change.Inverse.Length == 0 ? "" : change.Inverse + "\n")}}
        {{WriteOwn("undo.service", UndoUnit)}}
        echo {{id}} >id
        echo {{change.Control}} >control
        cut -d' ' -f5 /proc/$$/stat >group
        cd ..
        cp new/undo.service /etc/systemd/system/{{Unit}}.service.new
        chmod 644 /etc/systemd/system/{{Unit}}.service.new
        mkdir -p -m 755 /etc/systemd/system/sysinit.target.wants
        mv -f /etc/systemd/system/{{Unit}}.service.new /etc/systemd/system/{{Unit}}.service
        ln -sfn ../{{Unit}}.service /etc/systemd/system/sysinit.target.wants/{{Unit}}.service
        sync -f new
        sync -f /etc/systemd/system/{{Unit}}.service
        mv -T new armed
        systemd-run --quiet --collect --unit={{Unit}}-{{id}} --on-active={{Seconds(undoAfter)}} --timer-property=AccuracySec=100ms /bin/sh {{Armed}}/undo.sh \
            || { sh armed/undo.sh held; echo {{TakenBack}}; exit 1; }
        status=0
        sh -s 9>&- <<'@@APPLY' || status=$?
        {{ShellText.Whole("set -eu\numask 022\n" + WriteFiles(change) + change.Apply)}}
        @@APPLY
        if [ $status != 0 ]; then
            sh armed/undo.sh held
            echo {{TakenBack}}
            exit 1
        fi
        """;

    /// <summary>Disarms the undo: the change stays, and what was before the control's first change is kept for its undo.</summary>
    /// <param name="change">The change.</param>
    /// <param name="id">Its own name.</param>
    public static string Confirm(NodeChange change, string id) => $$"""
        {{Lock}}
        {{FilesOf}}
        [ -d armed ] && [ "$(cat armed/id)" = {{id}} ] || { echo {{TooLate}}; exit 1; }
        mkdir -p {{change.Control}}
        original={{change.Control}}/original
        cat armed/inverse {{change.Control}}/inverse >{{change.Control}}/inverse.new 2>/dev/null || :
        mv -f {{change.Control}}/inverse.new {{change.Control}}/inverse
        if [ -d "$original" ]; then
            while read -r kind number path; do
                if [ $kind != directory ] && files_of "$original" | grep -qxF "$path"; then continue; fi
                next=$(($(wc -l <"$original/paths") + 1))
                if [ $kind = file ]; then cp -a "armed/files/$number" "$original/files/$next"; fi
                echo "$kind $next $path" >>"$original/paths"
            done <armed/paths
        else
            rm -rf {{change.Control}}/new
            cp -a armed {{change.Control}}/new
            mv -T {{change.Control}}/new "$original"
        fi
        {{Disarm}}
        files_of "$original" | while read -r path; do if [ -e "$path" ]; then sha256sum "$path"; else echo "absent  $path"; fi; done >{{change.Control}}/after
        sync -f {{change.Control}}
        """;

    /// <summary>Disarms the undo of an undo: nothing of the control is left on the node.</summary>
    /// <param name="change">The change.</param>
    /// <param name="id">Its own name.</param>
    public static string ConfirmUndo(NodeChange change, string id) => $$"""
        {{Lock}}
        [ -d armed ] && [ "$(cat armed/id)" = {{id}} ] || { echo {{TooLate}}; exit 1; }
        rm -rf {{change.Control}}
        {{Disarm}}
        """;

    /// <summary>Takes back what is armed, whoever armed it.</summary>
    public static string TakeBack => $$"""
        {{Lock}}
        {{TakeBackArmed}}
        """;

    /// <summary>Prints the paths that a control has changed.</summary>
    public static string PathsOf(string control) => $"{FilesOf}\nfiles_of {Root}/{control}/original";

    /// <summary>
    /// Puts a control's files back to what they were before its first change; POSIX shell for <see cref="NodeChange.Apply"/>. Where another
    /// hand changed a file since, the control's own inverse is run instead; without one the file is put back, and its present content kept.
    /// </summary>
    public static string RestoreOriginal(string control) => $$"""
        cd {{Root}}/{{control}}
        intact() {
            while read -r sum known; do
                [ "$known" = "$1" ] || continue
                if [ "$sum" = absent ]; then [ ! -e "$1" ]; else [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$sum" ]; fi
                return
            done <after
        }
        # Asked of all before any is put back: a link to another of them is not the same without it.
        changed=$(while read -r kind number path; do [ $kind = directory ] || intact "$path" || echo "$path"; done <original/paths)
        while read -r kind number path; do
            if printf '%s\n' "$changed" | grep -qxF "$path"; then
                if [ -s inverse ]; then continue; fi
                mkdir -p ../replaced
                if [ -e "$path" ]; then cp -a "$path" "../replaced/{{control}}-$number"; fi
            fi
            case $kind in
            file) mkdir -p "$(dirname "$path")"; cp -a "original/files/$number" "$path.cake-k3s"; mv -fT "$path.cake-k3s" "$path" ;;
            absent) rm -f "$path" ;;
            directory) rmdir "$path" 2>/dev/null || : ;;
            esac
        done <original/paths
        if [ -n "$changed" ] && [ -s inverse ]; then sh -eu ./inverse; fi
        cd /
        """;

    private static string FilesOf => """files_of() { sed -n 's/^\(file\|absent\) [0-9]* //p' "$1/paths"; }""";

    private static string TakeBackArmed => """
        if [ -d armed ]; then
            sh armed/undo.sh held || { echo 'an earlier change could not be taken back' >&2; exit 1; }
        fi
        """;

    // The directory goes first: from here on neither the timer nor a boot takes anything back.
    private static string Disarm => $$"""
        timer=$(cat armed/id)
        rm -rf gone
        mv -T armed gone
        sync -f .
        rm -rf gone
        systemctl --no-block stop "{{Unit}}-$timer.timer" 2>/dev/null || :
        rm -f /etc/systemd/system/{{Unit}}.service /etc/systemd/system/sysinit.target.wants/{{Unit}}.service
        """;

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + "s";

    private static string WriteOwn(string name, string content) => $"base64 -d >{name} <<'@@FILE'\n{ShellText.Base64(content)}\n@@FILE";

    private static string WriteFiles(NodeChange change)
    {
        var script = new StringBuilder();
        foreach (var file in change.Files)
        {
            var path = ShellText.Quote(file.Path);
            if (file.Content is null)
            {
                script.Append(CultureInfo.InvariantCulture, $"rm -f {path}\n");
                continue;
            }

            // A copy of the old file brings its mode and owner along; the rename makes the new one visible whole.
            var part = ShellText.Quote(file.Path + ".cake-k3s");
            script.Append(CultureInfo.InvariantCulture, $"""
                mkdir -p "$(dirname {path})"
                if [ -e {path} ]; then cp -p {path} {part}; else : >{part}; chmod {file.Mode} {part}; fi
                base64 -d >{part} <<'@@FILE'
                {ShellText.Base64(file.Content)}
                @@FILE
                mv -fT {part} {path}

                """);
        }

        return script.ToString();
    }
}
