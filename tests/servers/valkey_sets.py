"""Valkey servers that belong together: a master with a replica and a sentinel, and a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testing.ports import free_port
from testing.waiting import eventually
from tests.servers.valkey import ValkeyServer, running

SERVICE = "cache"
SLOTS = 16384


@dataclass(frozen=True)
class SentinelSet:
    master: ValkeyServer
    replica: ValkeyServer
    sentinel: ValkeyServer

    @property
    def url(self) -> str:
        """The first sentinel that it names is not there."""
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.port}/{SERVICE}/0"

    @property
    def replica_is_master(self) -> bool:
        role = self.replica.ask("ROLE")
        return isinstance(role, list) and role[0] == b"master"


@contextlib.contextmanager
def sentinel_set(directory: Path) -> Iterator[SentinelSet]:
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(running(directory / "master", "--repl-diskless-sync-delay", "0"))
        replica = stack.enter_context(running(directory / "replica", "--replicaof", "127.0.0.1", str(master.port)))
        eventually(lambda: "connected" in str(replica.ask("ROLE")))
        sentinel = stack.enter_context(_sentinel(directory / "sentinel", master))
        eventually(lambda: str(replica.port) in str(sentinel.ask("SENTINEL", "REPLICAS", SERVICE)))
        yield SentinelSet(master, replica, sentinel)


@contextlib.contextmanager
def _sentinel(directory: Path, master: ValkeyServer) -> Iterator[ValkeyServer]:
    directory.mkdir()
    settings = directory / "sentinel.conf"
    settings.write_text(
        f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} 1\n"
        f"sentinel down-after-milliseconds {SERVICE} 300\n"
        f"sentinel failover-timeout {SERVICE} 3000\n"
    )
    with running(directory, mode=(str(settings), "--sentinel")) as sentinel:
        yield sentinel


@dataclass(frozen=True)
class ClusterSet:
    """``masters`` share the slots evenly in their order; ``replica`` follows the first."""

    masters: list[ValkeyServer]
    replica: ValkeyServer

    @property
    def url(self) -> str:
        """It names two nodes, the first of which is not there."""
        return f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{self.masters[1].port}"


def slots_of(number: int, masters: int = 3) -> range:
    return range(number * SLOTS // masters, (number + 1) * SLOTS // masters)


@contextlib.contextmanager
def cluster_set(directory: Path) -> Iterator[ClusterSet]:
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(_node(directory / f"node{number}")) for number in range(4)]
        masters, replica = nodes[:3], nodes[3]
        for number, master in enumerate(masters):
            slots = slots_of(number)
            master.ask("CLUSTER", "ADDSLOTSRANGE", slots.start, slots.stop - 1)
            master.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, _bus_port(node))
        eventually(lambda: all("cluster_known_nodes:4" in _info(node) for node in nodes))
        eventually(lambda: replica.ask("CLUSTER", "REPLICATE", _id(masters[0])))
        eventually(lambda: all("cluster_state:ok" in _info(node) for node in nodes))
        eventually(lambda: "connected" in str(replica.ask("ROLE")))
        eventually(lambda: all(str(replica.ask("CLUSTER", "SLOTS")) == _slots(node) for node in nodes))
        yield ClusterSet(masters, replica)


@contextlib.contextmanager
def _node(directory: Path) -> Iterator[ValkeyServer]:
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", str(free_port())]
    options += ["--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"]
    with running(directory, *options) as node:
        yield node


def _bus_port(node: ValkeyServer) -> str:
    answer = node.ask("CONFIG", "GET", "cluster-port")
    assert isinstance(answer, list)
    return str(answer[1].decode())


def _id(node: ValkeyServer) -> str:
    answer = node.ask("CLUSTER", "MYID")
    assert isinstance(answer, bytes)
    return answer.decode()


def _slots(node: ValkeyServer) -> str:
    return str(node.ask("CLUSTER", "SLOTS"))


def _info(node: ValkeyServer) -> str:
    return str(node.ask("CLUSTER", "INFO"))
