"""The pods' network: Services as addresses that lead to ready pods, and policies that are enforced.

Both are iptables, which is what most clusters use for them. Frames on a bridge pass FORWARD as long as
`bridge-nf-call-iptables` is on.
"""

import ipaddress
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from lab.chart import Manifest, name_of
from lab.kubelet import Pod
from lab.podman import LABEL, PodmanError, inspect, podman, sh, try_podman

Peers = list[tuple[str, list[str]]]
"""Networks, each with those inside it that are left out."""


class Network:
    """A bridge on which pods are.

    Parameters
    ----------
    manifests
        Returns the objects of some kinds, as they are now.
    pods
        Returns the pods that run now.
    """

    def __init__(
        self,
        name: str,
        namespace: str,
        manifests: Callable[..., Sequence[Manifest]],
        pods: Callable[[], Sequence[Pod]],
    ) -> None:
        self.name = name
        self.addresses: dict[str, str] = {}
        self._namespace = namespace
        self._manifests = manifests
        self._pods = pods
        self._lock = threading.RLock()
        self._chain = f"LAB-{name.upper()}"[:14]
        self._is_open = False

    def open(self) -> None:
        podman("network", "create", "--label", LABEL, self.name)
        # The bridge is there as long as something is attached to it.
        podman("pod", "create", "--name", self._anchor, "--network", self.name, "--label", LABEL)
        podman("pod", "start", self._anchor)
        found = inspect("network", self.name)
        self._bridge = found["network_interface"]
        subnet = ipaddress.ip_network(found["subnets"][0]["subnet"])
        self._free = (str(subnet.broadcast_address - n) for n in count(2))
        for table in ("nat", "filter"):
            sh("iptables", "-w", "-t", table, "-N", self._chain)
        for table, chain, *rule in self._hooks():
            sh("iptables", "-w", "-t", table, "-I", chain, *rule)
        self._is_open = True

    def close(self) -> None:
        self._is_open = False
        for address in self.addresses.values():
            _quietly("ip", "address", "delete", f"{address}/32", "dev", self._bridge)
        for table, chain, *rule in self._hooks():
            _quietly("iptables", "-w", "-t", table, "-D", chain, *rule)
        for table in ("nat", "filter"):
            _forget_chains(table, self._chain)
        try_podman("pod", "rm", "--force", "--time", 1, self._anchor)
        try_podman("network", "rm", "--force", self.name)

    def hosts(self) -> dict[str, str]:
        """Return the addresses of Services by every name that a pod may call them by."""
        return {
            full: address
            for name, address in self.addresses.items()
            for full in (name, f"{name}.{self._namespace}", f"{name}.{self._namespace}.svc")
        }

    def sync(self) -> None:
        """Let Services lead to the pods that are ready now, and let policies be about those there are."""
        with self._lock:
            if not self._is_open:
                return
            self._give_addresses()
            _restore("nat", [f":{self._chain} - [0:0]", *self._service_rules()])
            _restore("filter", list(self._policy_rules()))

    @property
    def _anchor(self) -> str:
        return f"{self.name}-anchor"

    def _hooks(self) -> Iterator[tuple[str, ...]]:
        """Yield where our chains are hung in: table, chain, and the rule."""
        yield "nat", "PREROUTING", "-j", self._chain
        yield "nat", "OUTPUT", "-m", "comment", "--comment", self.name, "-j", self._chain
        # A pod that is sent back to itself by its Service's address.
        yield (
            *("nat", "POSTROUTING", "-o", self._bridge, "-m", "conntrack", "--ctstate", "DNAT"),
            *("-m", "comment", "--comment", self.name, "-j", "MASQUERADE"),
        )
        yield "filter", "FORWARD", "-j", self._chain

    def _give_addresses(self) -> None:
        for service in self._manifests("Service"):
            name = name_of(service)
            if service["spec"].get("clusterIP") != "None" and name not in self.addresses:
                self.addresses[name] = next(self._free)
                sh("ip", "address", "add", f"{self.addresses[name]}/32", "dev", self._bridge)

    def _service_rules(self) -> Iterator[str]:
        for service in self._manifests("Service"):
            address = self.addresses.get(name_of(service))
            wanted = service["spec"].get("selector", {})
            ready = [pod for pod in self._pods() if pod.ready and _has(pod, wanted)]
            for port in service["spec"]["ports"] if address else ():
                for left, pod in zip(range(len(ready), 0, -1), ready, strict=True):
                    yield (
                        f"-A {self._chain} -d {address}/32 -p tcp -m tcp --dport {port['port']} "
                        + (
                            f"-m statistic --mode random --probability {1 / left:.5f} "
                            if left > 1
                            else ""
                        )
                        + f"-j DNAT --to-destination {pod.address}:{pod.port(port['targetPort'])}"
                    )

    def _policy_rules(self) -> Iterator[str]:
        chains, rules = [f":{self._chain} - [0:0]"], []
        rules.append(f"-A {self._chain} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN")
        for pod in self._pods():
            for policy_type, own, other in (("Egress", "-s", "-d"), ("Ingress", "-d", "-s")):
                policies = self._policies(pod, policy_type)
                if not pod.address or not policies:
                    continue
                chain = f"{self._chain}{policy_type[0]}{pod.address.rsplit('.', 1)[1]}"
                chains.append(f":{chain} - [0:0]")
                rules.append(f"-A {self._chain} {own} {pod.address}/32 -j {chain}")
                key = policy_type.lower()
                for number, (rule, ports) in enumerate(self._allowed(policies, key, pod)):
                    more, some = _allow(f"{chain}x{number}", chain, other, rule, ports)
                    chains += more
                    rules += some
                rules.append(f"-A {chain} -j REJECT --reject-with icmp-port-unreachable")
        yield from chains
        yield from rules

    def _policies(self, pod: Pod, policy_type: str) -> list[Manifest]:
        return [
            policy["spec"]
            for policy in self._manifests("NetworkPolicy")
            if policy_type in policy["spec"]["policyTypes"]
            and _has(pod, policy["spec"]["podSelector"].get("matchLabels", {}))
        ]

    def _allowed(
        self, policies: Sequence[Manifest], key: str, pod: Pod
    ) -> Iterator[tuple[Peers, list[str]]]:
        """Yield whom the policies allow, each with the ports as iptables matches them."""
        for policy in policies:
            for rule in policy.get(key, []):
                among = [pod] if key == "ingress" else self._pods()
                peers = rule.get("to" if key == "egress" else "from")
                everyone: Peers = [("0.0.0.0/0", [])]
                yield (everyone if peers is None else list(self._peers(peers))), _ports(rule, among)

    def _peers(self, peers: Iterable[Manifest]) -> Iterator[tuple[str, list[str]]]:
        for peer in peers:
            if "ipBlock" in peer:
                if ":" not in peer["ipBlock"]["cidr"]:
                    yield peer["ipBlock"]["cidr"], peer["ipBlock"].get("except", [])
                continue
            space = peer.get("namespaceSelector", {}).get("matchLabels", {})
            # Only one namespace is here; others have no pods.
            if space.get("kubernetes.io/metadata.name", self._namespace) == self._namespace:
                wanted = peer.get("podSelector", {}).get("matchLabels", {})
                yield from (
                    (f"{pod.address}/32", [])
                    for pod in self._pods()
                    if pod.address and _has(pod, wanted)
                )


def _allow(
    inner: str, chain: str, other: str, peers: Peers, ports: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the chains and rules that let these peers through."""
    chains, rules = [], []
    for number, (network, holes) in enumerate(peers):
        holed = f"{inner}y{number}"
        target = holed if holes else "RETURN"
        if holes:
            chains.append(f":{holed} - [0:0]")
            rules += [f"-A {holed} {other} {hole} -j REJECT" for hole in holes]
            rules.append(f"-A {holed} -j ACCEPT")
        rules += [f"-A {chain} {other} {network} {match}-j {target}" for match in ports]
    return chains, rules


def _ports(rule: Manifest, pods: Iterable[Pod]) -> list[str]:
    if "ports" not in rule:
        return [""]
    found = []
    for port in rule["ports"]:
        protocol = port["protocol"].lower()
        named = {pod.port(port["port"]) for pod in pods if _names(pod, port["port"])}
        numbers = named if isinstance(port["port"], str) else {port["port"]}
        found += [f"-p {protocol} -m {protocol} --dport {n} " for n in sorted(numbers)]
    return found


def _names(pod: Pod, port: object) -> bool:
    return any(
        each["name"] == port
        for container in pod.spec["containers"]
        for each in container.get("ports", [])
    )


def _has(pod: Pod, labels: Manifest) -> bool:
    return labels.items() <= pod.labels.items()


def _restore(table: str, lines: Sequence[str]) -> None:
    sh("iptables-restore", "-w", "--noflush", text="\n".join([f"*{table}", *lines, "COMMIT", ""]))


def _forget_chains(table: str, prefix: str) -> None:
    saved = sh("iptables-save", "-t", table)
    ours = [line.split()[0][1:] for line in saved.splitlines() if line.startswith(f":{prefix}")]
    for what in ("-F", "-X"):
        for chain in ours:
            _quietly("iptables", "-w", "-t", table, what, chain)


def _quietly(*command: str) -> None:
    try:
        sh(*command)
    except PodmanError:
        return
