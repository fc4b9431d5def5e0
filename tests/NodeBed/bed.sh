#!/bin/bash
# Runs the test bed: a bridge with nodes, in mount, pid and network namespaces of its own. Whatever ends these namespaces ends
# all that is in them: processes, mounts, network devices. What is left, the control groups, the keeper removes.
#
#   bed.sh keep OWNER               in the host's namespaces: starts the bed, ends it when the process OWNER ends
#   bed.sh init                     process 1 of the bed
#   bed.sh node NAME V4 V6 SIZE     runs a node, through reboots, until NAME.off exists
#   bed.sh link DEVICE up|down      one of the bed's network devices
#   bed.sh outside COMMAND…         runs a command of the image on the machine outside
#
# Of the environment: DIR (of the bed, on the host), IMAGE (the nodes' root file system), TOOLS (unpacked systemd-container),
# SUBNET (the first three numbers of the nodes' IPv4 addresses), SUBNET6 (their /64, without the colons at its end).
set -eu

of_image() { chroot "$IMAGE" "$@"; }
ip() { of_image ip "$@"; }

# A control group in the hierarchies that systemd works with; a node's systemd would otherwise share the bed's own.
hierarchies() {
    if [ -d /sys/fs/cgroup/systemd ]; then
        ls -d /sys/fs/cgroup/systemd /sys/fs/cgroup/unified 2>/dev/null || true
    else
        echo /sys/fs/cgroup
    fi
}

case $1 in
keep)
    owner=$2
    setpriv --pdeathsig KILL unshare --mount --pid --net --fork --kill-child --mount-proc bash "$0" init &
    bed=$!
    trap 'kill -9 $bed' EXIT
    init=
    until [ -n "$init" ] && [ -e "/proc/$init/root/run/ready" ]; do
        kill -0 $bed
        [ -e "/proc/$owner/exe" ]
        sleep 0.02
        read -r init _ < "/proc/$bed/task/$bed/children" || true
    done
    # The only device on the host; it goes with the bed's network namespace.
    device=bed$init
    ip link add "$device" type veth peer name uplink
    ip link set uplink netns "$init"
    ip addr add "$SUBNET.1/24" dev "$device"
    ip addr add "$SUBNET6::1/64" dev "$device" nodad
    ip link set "$device" up
    nsenter --target "$init" --net chroot "$IMAGE" ip link set uplink master nodes up
    echo "$init" > "$DIR/init.new"
    mv "$DIR/init.new" "$DIR/init"
    # A process that ended without being waited for has no program any more either.
    while [ -e "/proc/$owner/exe" ]; do sleep 0.5; done & watch=$!
    wait -n $bed $watch || true
    trap - EXIT
    kill -9 $bed $watch 2>/dev/null || true
    wait
    while [ -e "/proc/$init" ]; do sleep 0.02; done
    for hierarchy in $(hierarchies); do
        find "$hierarchy/$(basename "$DIR")" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    rm -rf "$DIR"
    ;;

init)
    mount -t tmpfs -o mode=755 bed /run
    mkdir /run/nodes /run/systemd /run/stand-in-etcd
    ip link set lo up
    ip link add nodes type bridge
    ip link set nodes up
    ip addr add "$SUBNET.254/24" dev nodes
    ip addr add "$SUBNET6::254/64" dev nodes nodad
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding

    # The machine outside: whatever address is not the nodes' is routed to it.
    unshare --net sleep infinity & outside=$!
    while [ "$(readlink /proc/$outside/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    ip link add outside type veth peer name internet
    ip link set internet netns $outside
    ip link set outside up
    ip addr add 169.254.1.1/32 dev outside
    ip -6 addr add fe80::1/64 dev outside nodad
    ip route add default dev outside
    ip -6 route add default dev outside
    on_outside() { nsenter --target $outside --net chroot "$IMAGE" ip "$@"; }
    on_outside link set lo up
    on_outside link set internet up
    on_outside -6 addr add fe80::2/64 dev internet nodad
    on_outside route add default via 169.254.1.1 dev internet onlink
    on_outside -6 route add default via fe80::1 dev internet
    echo $outside > /run/outside
    mount --bind "$DIR" "$IMAGE/mnt"
    of_image ssh-keygen -q -t ed25519 -N '' -C operator -f /mnt/key
    umount "$IMAGE/mnt"
    touch /run/ready
    sleep infinity &
    while :; do wait -n || true; done
    ;;

node)
    name=$2 v4=$3 v6=$4 size=$5
    node=/run/nodes/$name
    mkdir "$node"
    mount -t tmpfs -o "mode=755,size=$size" "$name" "$node"
    mkdir "$node/upper" "$node/work" "$node/root"
    mount -t overlay -o "lowerdir=$IMAGE,upperdir=$node/upper,workdir=$node/work" "$name" "$node/root"
    root=$node/root
    cat > "$root/etc/systemd/network/10-node.network" <<EOF
[Match]
Name=host0
[Network]
Address=$v4/24
Gateway=$SUBNET.254
Gateway=$SUBNET6::254
IPv6AcceptRA=no
[Address]
Address=$v6/64
DuplicateAddressDetection=none
EOF
    echo "$name" > "$root/etc/hostname"
    printf '127.0.0.1 localhost\n::1 localhost\n%s %s\n' "$v4" "$name" "$v6" "$name" > "$root/etc/hosts"
    cp "$DIR/key.pub" "$root/root/.ssh/authorized_keys"
    for user in deploy guest; do
        install -m 644 "$DIR/key.pub" "$root/home/$user/.ssh/authorized_keys"
    done
    chroot "$root" ssh-keygen -q -t ed25519 -N '' -C "$name" -f /etc/ssh/ssh_host_ed25519_key

    unified=
    for hierarchy in $(hierarchies); do
        mkdir -p "$hierarchy/$(basename "$DIR")/$name"
        echo 0 > "$hierarchy/$(basename "$DIR")/$name/cgroup.procs"
    done
    [ ! -d /sys/fs/cgroup/systemd ] || unified="SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0"
    libraries=$(find "$TOOLS" -type d \( -path '*-linux-gnu' -o -path '*-linux-gnu/systemd' \) | paste -sd :)
    # For WireGuard without the kernel's.
    tun=
    [ ! -e /dev/net/tun ] || tun=--bind=/dev/net/tun
    while [ ! -e "$node.off" ]; do
        started=$SECONDS
        status=0
        env LD_LIBRARY_PATH="$libraries" $unified "$TOOLS/usr/bin/systemd-nspawn" --quiet --register=no --keep-unit --boot \
            --bind=/run/stand-in-etcd:/srv/stand-in-etcd $tun \
            --directory="$root" --machine="$name" --network-bridge=nodes --link-journal=no --resolv-conf=off --timezone=off \
            || status=$?
        # 133 is a reboot; anything else is a machine that lost its power, or one that cannot start.
        [ $status = 133 ] || [ $((SECONDS - started)) -gt 0 ] || exit $status
    done
    ;;

link)
    ip link set "$2" "$3"
    ;;

outside)
    shift
    exec nsenter --target "$(cat /run/outside)" --net chroot "$IMAGE" "$@"
    ;;
esac
