"""Who waits for a key is woken by what replaces it, here or elsewhere."""

from __future__ import annotations

import threading

from service.caching.changes import Changes


def test_what_is_waited_for_is_set_by_its_own_key_alone_and_no_longer_than_it_is_waited_for() -> None:
    changes, one, other = Changes(), threading.Event(), threading.Event()
    with changes.setting(one, "key"), changes.setting(other, "another"):
        changes.announced("key")
        assert (one.is_set(), other.is_set()) == (True, False)
        changes.replaced_here("another")
        assert other.is_set()
        with changes.setting(other, "key"):
            pass
        one.clear()
        changes.replaced_here("key")
        assert one.is_set()
    one.clear()
    changes.announced("key")
    assert not one.is_set()
