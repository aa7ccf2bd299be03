"""What a connection asks of the system."""

from __future__ import annotations

import socket

import pytest

from service.server.connection import Connection


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no TCP_USER_TIMEOUT (RFC 5482)")
def test_a_client_that_is_gone_without_a_word_is_noticed_by_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, peer = listener.accept()
        with accepted:
            Connection(accepted, peer, listener.getsockname(), 0.0).drop_unacknowledged(60.0)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
