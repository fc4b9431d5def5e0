# Run in the image's root: what a provider's image has beyond its packages.
set -eu
rm -f /etc/ssh/ssh_host_* /etc/machine-id
: > /etc/machine-id
systemctl enable --quiet systemd-networkd.service ssh.service
# Of no use on a machine that lives for seconds.
systemctl mask --quiet console-getty.service e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    systemd-networkd-wait-online.service
# The host's name servers do not answer here; asking is refused at once instead of timing out.
echo 'nameserver 127.0.0.1' > /etc/resolv.conf
# deploy may do everything, guest nothing; both have the password "bed", as root does.
useradd --create-home --shell /bin/bash deploy
useradd --create-home --shell /bin/bash guest
printf 'root:bed\ndeploy:bed\nguest:bed\n' | chpasswd
echo 'deploy ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deploy
chmod 440 /etc/sudoers.d/deploy
install -d -m 700 /root/.ssh
for user in deploy guest; do install -d -m 700 -o $user -g $user /home/$user/.ssh; done
# Of the kernel's settings only those of the network are a node's own. These stand in for some that are the whole machine's:
# files that are written and read like them.
cat > /etc/systemd/system/stand-in-sysctl.service <<EOF
[Unit]
Description=Stand-ins for kernel settings that containers share
DefaultDependencies=no
Before=systemd-sysctl.service sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'mkdir -p /run/stand-in-sysctl; for s in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxbytes kernel/keys/root_maxkeys; do f=/run/stand-in-sysctl/\$(echo \$s | tr / .); cat /proc/sys/\$s > \$f; mount --bind \$f /proc/sys/\$s; done'
[Install]
WantedBy=sysinit.target
EOF
systemctl enable --quiet stand-in-sysctl.service
