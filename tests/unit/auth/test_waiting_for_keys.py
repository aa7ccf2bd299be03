"""A key server that is slow: who waits for it gives up the working place, few do, and known keys are never held up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from service.auth.verifier import Verifier
from service.concurrency.blocking import set_slot_owner
from service.domain.errors import InvalidToken, KeysUnavailable
from service.server.threads import RequestThreads
from testing.clocks import Clock
from testing.waiting import eventually
from tests.unit.auth.conftest import FIRST
from tests.unit.auth.forge import claims, header, token
from tests.unit.auth.issuer_server import IssuerServer
from tests.unit.auth.worlds import holds

GOOD = token(header(), claims())
MOST_WAITING = 32
FEW_WAITING = 8


class Counted:
    """A slot owner that counts how many wait at once."""

    def __init__(self) -> None:
        self.waiting = self.most = self.released = 0
        self._lock = threading.Lock()

    def release_slot(self) -> None:
        with self._lock:
            self.released += 1
            self.waiting += 1
            self.most = max(self.most, self.waiting)

    def reacquire_slot(self) -> None:
        with self._lock:
            self.waiting -= 1


def unknown(number: int) -> str:
    return token(header(kid=f"unknown-{number}"), claims(jti=str(number)))


def fresh(number: int) -> str:
    return token(header(), claims(jti=f"fresh-{number}"))


def begun(threads: RequestThreads, task: Callable[[], Any]) -> Future[Any]:
    """What the task comes to on one of the threads."""
    future: Future[Any] = Future()
    threads.start(lambda: outcome(future, task))
    return future


def outcome(future: Future[Any], task: Callable[[], Any]) -> None:
    try:
        future.set_result(task())
    except Exception as error:  # noqa: BLE001 - it is looked at by the test
        future.set_exception(error)


def test_forged_tokens_take_no_working_place_while_keys_are_fetched(
    checked: Verifier, server: IssuerServer, clock: Clock
) -> None:
    """Two working threads, eight forged tokens that wait: every good token is answered before any of those."""
    holds(checked, GOOD)
    go = server.hold("/keys", FIRST)
    clock.pass_(20)
    threads = RequestThreads(working=2, waiting=64)
    forged = [begun(threads, lambda number=number: holds(checked, unknown(number))) for number in range(FEW_WAITING)]
    eventually(lambda: len(server.asked) == 2)
    good = [begun(threads, lambda number=number: holds(checked, fresh(number))) for number in range(20)]
    assert {future.result(20).subject for future in good} == {"ada"}
    assert not any(future.done() for future in forged)
    go.set()
    assert all(isinstance(future.exception(20), InvalidToken) for future in forged)
    threads.shutdown()


def at_once(count: int, owner: Counted, task: Any) -> list[Future[Any]]:
    """``count`` threads with that slot owner that do the task; each with its number."""
    futures: list[Future[Any]] = [Future() for _ in range(count)]

    def run(number: int) -> None:
        set_slot_owner(owner)
        outcome(futures[number], lambda: task(number))

    for number in range(count):
        threading.Thread(target=run, args=(number,), daemon=True).start()
    return futures


def test_few_wait_for_made_up_key_ids_and_all_others_are_refused_at_once(
    checked: Verifier, server: IssuerServer, clock: Clock
) -> None:
    holds(checked, GOOD)
    go, owner = server.hold("/keys", FIRST), Counted()
    clock.pass_(20)
    futures = at_once(40, owner, lambda number: holds(checked, unknown(number)))
    eventually(lambda: sum(future.done() for future in futures) == 40 - FEW_WAITING)
    assert (owner.waiting, owner.most) == (FEW_WAITING, FEW_WAITING)
    go.set()
    assert all(isinstance(future.exception(20), InvalidToken) for future in futures)
    assert (owner.waiting, len(server.asked)) == (0, 2)


def test_no_more_than_so_many_wait_for_the_first_keys(checked: Verifier, server: IssuerServer) -> None:
    go, owner = server.hold("/keys", FIRST), Counted()
    futures = at_once(MOST_WAITING + 20, owner, lambda number: holds(checked, fresh(number)))
    eventually(lambda: sum(future.done() for future in futures) == 20)
    assert (owner.waiting, owner.most) == (MOST_WAITING, MOST_WAITING)
    assert all(isinstance(future.exception(), KeysUnavailable) for future in futures if future.done())
    go.set()
    assert sum(future.exception(20) is None for future in futures) == MOST_WAITING
    assert server.asked == ["/keys"]


def test_a_token_whose_key_is_known_gives_no_slot_away(checked: Verifier, server: IssuerServer, clock: Clock) -> None:
    holds(checked, GOOD)
    server.hold("/keys", FIRST)
    clock.pass_(3000)
    owner = Counted()
    futures = at_once(30, owner, lambda number: holds(checked, fresh(number)) and None)
    expired = [future.exception(20) for future in futures]
    assert expired == [None] * 30
    assert owner.released == 0
    assert len(server.asked) == 2, "the keys are old, so they are fetched behind the answers"
