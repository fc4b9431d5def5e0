#!/usr/bin/python3 -u
"""A stand-in for K3s: no package carries the real one. It keeps the states that K3s' documentation describes, and fails where that
says that K3s fails; it runs no containers. etcd is a directory that the cluster's nodes share.

Known sources: docs.k3s.io (cli/secrets-encrypt, security/hardening-guide, installation/configuration), k3s PR 13370, issues 7195, 4838."""
import base64, hashlib, json, os, secrets, socket, subprocess, sys, threading, time

SERVER = "/var/lib/rancher/k3s/server"
CRED = SERVER + "/cred"
NODE = socket.gethostname()
API = SERVER + "/stand-in.sock"


def read(path, otherwise=""):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return otherwise


ETCD = "/srv/stand-in-etcd/" + read("/etc/rancher/stand-in-cluster").strip()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)


def settings():
    """config.yaml, then config.yaml.d in order: the last value counts, NAME+ adds to a list. Only what the tests need of YAML."""
    found, folder = {}, "/etc/rancher/k3s/config.yaml.d"
    files = ["/etc/rancher/k3s/config.yaml"] + sorted(os.path.join(folder, name) for name in (os.listdir(folder) if os.path.isdir(folder) else []))
    for file in files:
        key = None
        for line in read(file).splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if line.lstrip().startswith("- ") and key:
                found[key].append(line.lstrip()[2:].strip().strip('"'))
                continue
            name, _, value = line.partition(":")
            key = name.strip().rstrip("+")
            if value.strip():
                found[key] = value.strip().strip('"')
            elif not (name.strip().endswith("+") and isinstance(found.get(key), list)):
                found[key] = []
    return found


def api_argument(name):
    for argument in settings().get("kube-apiserver-arg", []):
        if argument.startswith(name + "="):
            return argument.split("=", 1)[1]
    return None


def die(text):
    print(text, file=sys.stderr)
    sys.exit(1)


# Secrets encryption. The configuration of each server is its own file; what its API server works with is what it had at its start.

def config_hash():
    text = read(CRED + "/encryption-config.json")
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def providers():
    text = read(CRED + "/encryption-config.json")
    return [list(provider)[0] for provider in json.loads(text)["resources"][0]["providers"]] if text else []


def write_config(keys, identity_first):
    aes = {"aescbc": {"keys": keys}}
    order = [{"identity": {}}] + ([aes] if keys else []) if identity_first else [aes, {"identity": {}}]
    write(CRED + "/encryption-config.json", json.dumps({"kind": "EncryptionConfiguration", "apiVersion": "apiserver.config.k8s.io/v1", "resources": [{"resources": ["secrets"], "providers": order}]}))
    write(CRED + "/encryption-state.json", "{}")


def keys():
    text = read(CRED + "/encryption-config.json")
    for provider in (json.loads(text)["resources"][0]["providers"] if text else []):
        if "aescbc" in provider:
            return provider["aescbc"]["keys"]
    return []


def shared(name, value=None):
    path = f"{ETCD}/{name}"
    if value is None:
        return read(path)
    write(path, value)


def servers():
    return sorted(os.listdir(ETCD + "/servers")) if os.path.isdir(ETCD + "/servers") else []


def hashes():
    return {name: shared(f"servers/{name}/hash") for name in servers()}


def stored_secrets():
    folder = ETCD + "/registry/secrets"
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)) if os.path.isdir(folder) else []


def store(path, plain, key):
    if key is None:
        write(path, "k8s:plain:" + plain)
    else:
        sealed = base64.b64encode(bytes(a ^ b for a, b in zip(plain.encode(), hashlib.sha512(key["secret"].encode()).digest() * 99))).decode()
        write(path, f"k8s:enc:aescbc:v1:{key['name']}:{sealed}")


def load(path, known):
    text = read(path)
    if not text.startswith("k8s:enc:"):
        return text[len("k8s:plain:"):]
    name, sealed = text.split(":", 4)[4].rsplit(":", 1)
    key = next((key for key in known if key["name"] == name), None) or die("unable to transform key: no matching key was found for the provided AES-CBC transformer")
    return bytes(a ^ b for a, b in zip(base64.b64decode(sealed), hashlib.sha512(key["secret"].encode()).digest() * 99)).decode()


def secrets_encrypt(arguments):
    if subprocess.run(["systemctl", "-q", "is-active", "k3s"]).returncode != 0:
        die("see server log for details: https://127.0.0.1:6443/v1-k3s/encrypt/status: connection refused")
    command = arguments[0]
    stage = shared("stage") or "start"
    if command == "status":
        if not shared(f"servers/{NODE}/hash"):
            print("Encryption Status: Disabled, no configuration file found")
            return
        match = "All hashes match" if len(set(hashes().values())) == 1 else "hash does not match between " + " and ".join(servers())
        enabled = bool(providers()) and providers()[0] != "identity"
        print(f"Encryption Status: {'Enabled' if enabled else 'Disabled'}\nCurrent Rotation Stage: {stage}\nServer Encryption Hashes: {match}\n")
        print("Active  Key Type  Name\n------  --------  ----")
        for number, key in enumerate(keys()):
            print(f" {'*' if number == 0 else ' '}      AES-CBC   {key['name']}")
    elif command == "enable":
        # On a running cluster without a configuration: writes one with identity alone; a second one ends with EOF (k3s 13598).
        if read(CRED + "/encryption-config.json"):
            die("see server log for details: Put https://127.0.0.1:6443/v1-k3s/encrypt/config: EOF")
        write_config([], identity_first=True)
        shared("bootstrap-encryption", read(CRED + "/encryption-config.json"))
        print("secrets-encryption enabled")
    elif command == "rotate-keys":
        if len(set(hashes().values())) != 1 or not config_hash():
            die("see server log for details: hash does not match between servers: all servers must have the same configuration")
        if any(shared(f"servers/{name}/flag") != "true" for name in servers()):
            die("see server log for details: secrets-encryption is not set on all servers")
        key = {"name": "aescbckey-" + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "secret": secrets.token_hex(16)}
        old = keys()
        write_config([key] + old, identity_first=False)
        shared("bootstrap-encryption", read(CRED + "/encryption-config.json"))
        shared("stage", "reencrypt_active")
        print("keys rotated, reencryption started")
        subprocess.Popen([sys.argv[0], "stand-in-reencrypt"], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    elif command == "disable":
        write_config(keys(), identity_first=True)
        shared("bootstrap-encryption", read(CRED + "/encryption-config.json"))
        print("secrets-encryption disabled")
    elif command == "reencrypt":
        if "--force" not in arguments or "--skip" not in arguments:
            die("invalid state")
        reencrypt()
        print("reencryption finished")
    else:
        die(f"unknown command {command}")


def reencrypt():
    known = keys()
    active = known[0] if providers() and providers()[0] != "identity" else None
    for path in stored_secrets():
        store(path, load(path, known), active)
        time.sleep(float(read("/etc/rancher/stand-in-reencrypt-seconds", "0.05")))
    shared(f"servers/{NODE}/hash", config_hash())
    shared("stage", "reencrypt_finished")


def etcd_snapshot(arguments):
    if arguments[0] == "delete":
        os.remove(f"{SERVER}/db/snapshots/{arguments[1]}")
        print(f"Snapshot {arguments[1]} deleted.")
        return
    name = arguments[arguments.index("--name") + 1] if "--name" in arguments else "on-demand"
    path = f"{SERVER}/db/snapshots/{name}-{NODE}-{int(time.time())}"
    # What the real one has as bootstrap data, which the token opens: certificates, and the configuration of encryption.
    bootstrap = f"/bootstrap/{hashlib.sha256(read(SERVER + '/token').encode()).hexdigest()} {base64.b64encode(shared('bootstrap-encryption').encode()).decode()}\n"
    write(path, bootstrap + "".join(f"/registry/secrets/{os.path.basename(secret)} {read(secret)}\n" for secret in stored_secrets()))
    os.chmod(path, 0o600)
    print(f"Snapshot {os.path.basename(path)} saved.")


def cluster_reset(arguments):
    """k3s server --cluster-reset: this server becomes the only member of a new cluster, with what a snapshot holds."""
    if subprocess.run(["systemctl", "-q", "is-active", "k3s"]).returncode == 0:
        die('level=fatal msg="starting kubernetes: preparing server: failed to get CA certs: server is running"')
    given = dict(argument[2:].split("=", 1) for argument in arguments if "=" in argument)
    known, *lines = read(given["cluster-reset-restore-path"]).splitlines() or die('level=fatal msg="etcd: snapshot path does not exist"')
    digest, encryption = known[len("/bootstrap/"):].split(" ")
    if hashlib.sha256(given.get("token", read(SERVER + "/token").strip()).encode()).hexdigest() != digest:
        die('level=fatal msg="failed to bootstrap cluster data: bootstrap data already found and encrypted with different token"')
    shared("token", given["token"])
    write(SERVER + "/token", given["token"])
    shared("bootstrap-encryption", base64.b64decode(encryption).decode())
    for line in lines:
        name, value = line.split(" ", 1)
        write(ETCD + name, value)
    print("Managed etcd cluster membership has been reset, restart without --cluster-reset flag now.")


def kubectl(arguments):
    if subprocess.run(["systemctl", "-q", "is-active", "k3s"]).returncode != 0 or not os.path.exists(API):
        die("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?")
    started = json.loads(read("/run/k3s-stand-in.json", "{}"))
    if arguments[:2] == ["get", "--raw"]:
        if started.get("audit"):
            write_line(started["audit"], json.dumps({"kind": "Event", "requestURI": arguments[2], "verb": "get"}))
        quorum = 2 * sum(answers(name, 2380) for name in servers()) > len(servers())
        if arguments[2].startswith("/readyz") and not quorum:
            die('Error from server (InternalError): an error on the server ("[+]ping ok\n[-]etcd failed: reason withheld\n[-]etcd-readiness failed: reason withheld\nreadyz check failed") has prevented the request from succeeding')
        print("[+]ping ok\n[+]etcd ok\n[+]etcd-readiness ok\nreadyz check passed" if arguments[2] == "/readyz?verbose" else "ok")
    elif arguments[:2] == ["get", "node"]:
        print(f"used={json.loads(shared(f'servers/{arguments[2]}/flannel'))['address']}\ninternal={shared(f'servers/{arguments[2]}/address')}")
    elif arguments[:2] == ["get", "lease"]:
        print(shared(f"servers/{arguments[2]}/renewed"))
    elif arguments[0] == "wait":
        end = time.time() + float(next(argument for argument in arguments if argument.startswith("--timeout=")).split("=")[1].rstrip("s"))
        while missing := next((name for name in servers() if not ready(name)), None):
            if time.time() > end:
                die("error: timed out waiting for the condition on nodes/" + missing)
            time.sleep(0.2)
    elif arguments[0] == "create" and "secret" in arguments:
        name = arguments[arguments.index("generic") + 1]
        value = next(argument.split("=", 2)[2] for argument in arguments if argument.startswith("--from-literal="))
        known = keys()
        store(f"{ETCD}/registry/secrets/{name}", value, known[0] if started.get("encrypts") else None)
        print(f"secret/{name} created")
    elif arguments[0] == "delete" and "secret" in arguments:
        for path in stored_secrets():
            if os.path.basename(path) in arguments:
                os.remove(path)
        print("deleted")
    elif arguments[0] == "create":
        pod = json.load(sys.stdin)
        privileged = any(container.get("securityContext", {}).get("privileged") for container in pod["spec"]["containers"])
        if privileged and started.get("enforce") in ("baseline", "restricted"):
            die(f'Error from server (Forbidden): pods "{pod["metadata"]["name"]}" is forbidden: violates PodSecurity "{started["enforce"]}:latest": privileged')
        print("pod/" + pod["metadata"]["name"])
    elif arguments[:2] == ["get", "nodes"]:
        for name in servers():
            print(f"node={name} {'True' if ready(name) else 'Unknown'}")
    else:
        die("the stand-in knows no kubectl " + " ".join(arguments))


def write_line(path, line):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as file:
        file.write(line + "\n")


def answers(name, port):
    """Members and kubelets tell each other that they live; here it is that their ports answer."""
    try:
        socket.create_connection((shared(f"servers/{name}/address"), port), timeout=3).close()
        return True
    except OSError:
        return False


def ready(name):
    return answers(name, 10250) and not shared(f"servers/{name}/not-ready")


def server():
    known = settings()
    if known.get("protect-kernel-defaults") == "true":
        for key, value in {"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1"}.items():
            if read("/proc/sys/" + key).strip() != value:
                die(f"level=fatal msg=\"Failed to start ContainerManager: invalid kernel flag: {key}, expected value: {value}\"")
    started = {}
    if api_argument("audit-policy-file"):
        read(api_argument("audit-policy-file")) or die("loading audit policy file: no such file")
        started["audit"] = api_argument("audit-log-path")
    if api_argument("admission-control-config-file"):
        text = read(api_argument("admission-control-config-file")) or die("admission configuration: no such file")
        started["enforce"] = next((line.split(":")[1].strip() for line in text.splitlines() if line.strip().startswith("enforce:")), "privileged")
    flag = known.get("secrets-encryption", "false")
    # A server takes the cluster's configuration when it starts; without the flag it has none of it (k3s 7195).
    common = shared("bootstrap-encryption")
    if flag == "true" and common:
        write(CRED + "/encryption-config.json", common)
    for path in stored_secrets():
        if read(path).startswith("k8s:enc:"):
            load(path, keys())
    started["encrypts"] = bool(providers()) and providers()[0] != "identity"
    shared(f"servers/{NODE}/flag", flag)
    shared(f"servers/{NODE}/hash", config_hash() if flag == "true" or config_hash() else "")
    write("/run/k3s-stand-in.json", json.dumps(started))
    os.makedirs(SERVER + "/db/etcd", exist_ok=True)
    if not os.path.exists(SERVER + "/token"):
        write(SERVER + "/token", shared("token") or (shared("token", "K10" + secrets.token_hex(16)) or shared("token")))
        os.chmod(SERVER + "/token", 0o600)
    for port in (6443, 10250, 2379, 2380):
        threading.Thread(target=listen, args=(port,), daemon=True).start()
    write(API, "")
    shared(f"servers/{NODE}/address", socket.gethostbyname(NODE))
    address = socket.gethostbyname(NODE)
    if "flannel-iface" in known:
        found = subprocess.run(["ip", "-4", "-o", "address", "show", "dev", known["flannel-iface"]], capture_output=True, text=True).stdout.split()
        address = found[found.index("inet") + 1].split("/")[0] if found else die(f"level=fatal msg=\"unable to find interface {known['flannel-iface']}\"")
    flannel({"wireguard-native": "wireguard"}.get(known.get("flannel-backend", "vxlan"), "vxlan"), address)
    shared(f"servers/{NODE}/renewed", time.strftime("%Y-%m-%dT%H:%M:%S.999999Z", time.gmtime()))
    subprocess.run(["systemd-notify", "--ready"])
    threading.Event().wait()


# The pods' network. As with the real flannel, what another backend left stays until somebody removes it, and a route that is there is kept.
# Where the real one has WireGuard in the kernel, wireguard-go stands in: the device, its keys and handshakes are real.

def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout.strip()


def device_up(device, number):
    run("ip", "address", "replace", f"10.42.{number}.0/32", "dev", device)
    run("ip", "link", "set", device, "up")


def flannel_vxlan(number, address):
    # The real one makes it anew too where its address is another.
    if os.path.exists("/sys/class/net/flannel.1") and f"local {address} " not in run("ip", "-d", "link", "show", "flannel.1"):
        run("ip", "link", "delete", "flannel.1")
    if not os.path.exists("/sys/class/net/flannel.1"):
        run("ip", "link", "add", "flannel.1", "type", "vxlan", "id", "1", "local", address, "dstport", "8472", "nolearning")
    device_up("flannel.1", number)
    return read("/sys/class/net/flannel.1/address").strip()


def flannel_wireguard(number, address):
    key = "/var/lib/rancher/k3s/agent/flannel-stand-in.key"
    if not os.path.exists(key):
        write(key, run("wg", "genkey"))
        os.chmod(key, 0o600)
    if not os.path.exists("/sys/class/net/flannel-wg"):
        subprocess.run(["systemctl", "reset-failed", "flannel-wg-stand-in"], capture_output=True)
        run("systemd-run", "--quiet", "--collect", "--unit=flannel-wg-stand-in", "wireguard-go", "-f", "flannel-wg")
        while subprocess.run(["wg", "show", "flannel-wg"], capture_output=True).returncode != 0:
            time.sleep(0.05)
    run("wg", "set", "flannel-wg", "private-key", key, "listen-port", "51820")
    device_up("flannel-wg", number)
    return run("wg", "pubkey", input=read(key))


def meet(backend, other):
    if backend == "vxlan":
        run("bridge", "fdb", "replace", other["key"], "dev", "flannel.1", "dst", other["address"])
        run("ip", "neighbour", "replace", f"10.42.{other['number']}.0", "lladdr", other["key"], "dev", "flannel.1", "nud", "permanent")
        route = ["via", f"10.42.{other['number']}.0", "dev", "flannel.1", "onlink"]
    else:
        run("wg", "set", "flannel-wg", "peer", other["key"], "endpoint", other["address"] + ":51820", "allowed-ips", f"10.42.{other['number']}.0/24", "persistent-keepalive", "25")
        route = ["dev", "flannel-wg"]
    subprocess.run(["ip", "route", "add", f"10.42.{other['number']}.0/24", *route], capture_output=True)


def flannel(backend, address):
    number = int("".join(letter for letter in NODE if letter.isdigit()))
    key = (flannel_vxlan if backend == "vxlan" else flannel_wireguard)(number, address)
    shared(f"servers/{NODE}/flannel", json.dumps({"backend": backend, "number": number, "address": address, "key": key}))
    threading.Thread(target=meet_all, args=(backend,), daemon=True).start()


def meet_all(backend):
    known = {}
    while True:
        for name in servers():
            text = shared(f"servers/{name}/flannel")
            if name != NODE and text and known.get(name) != text and json.loads(text)["backend"] == backend:
                meet(backend, json.loads(text))
                known[name] = text
        time.sleep(0.2)


def listen(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        client = listener.accept()[0]
        client.close()


if __name__ == "__main__":
    command, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if command == "--version":
        print(f"k3s version {read('/etc/rancher/stand-in-version', 'v1.34.6+k3s1').strip()} (stand-in)")
    elif command == "server":
        cluster_reset(rest) if "--cluster-reset" in rest else server()
    elif command == "stand-in-reencrypt":
        reencrypt()
    else:
        {"kubectl": kubectl, "etcd-snapshot": etcd_snapshot, "secrets-encrypt": secrets_encrypt}.get(command, lambda a: die(f"no command {command}"))(rest)
