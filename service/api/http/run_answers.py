"""Answers with what is read of a run, fetched anew where the store has lost it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from flask import Response

from service.api.http.long_poll import LongPoll
from service.api.http.parameters import Parameters
from service.api.http.request import ReadRequest
from service.api.http.responses import Answers, Rendering, Variant
from service.caching.codec import ContentGone
from service.domain.metrics import MetricResource
from service.domain.runtime import RequestContext
from service.reads.queries import Queries

T = TypeVar("T")


class RunAnswers:
    """Reads a run and answers with a representation of it, made where there is none yet.

    With ``long_poll`` it is awaited until it differs, where the client wants that.
    """

    def __init__(self, queries: Queries, answers: Answers, long_poll: LongPoll | None = None) -> None:
        self._queries = queries
        self._answers = answers
        self._long_poll = long_poll

    def answer(
        self,
        read_request: ReadRequest[Parameters],
        run_id: str,
        form: tuple[str, ...],
        make: Callable[[MetricResource], Iterable[bytes]],
        *varies: str,
        points: bool = True,
        rendering: Rendering | None = None,
        replayed: bool = True,
    ) -> Response:
        """``form`` names all that ``make`` depends on beside the run, ``varies`` the headers among that. ``points``: it
        looks at the run's points. ``rendering``: as in ``Answers``. ``replayed``: it depends on the run's metric
        resource alone, so that the response cache may replay it."""

        def respond(context: RequestContext) -> Response:
            run = self._queries.metric_resource(run_id, context)
            variant = Variant(
                (run.key, run.digest.hex()),
                form,
                read_request.format,
                varies,
                (run.key, run.digest) if replayed else None,
                weight=run.size if points else 0,
            )
            return self._answers.answer(variant, run.provenance, lambda: make(run.content()), rendering)

        if self._long_poll is not None:
            return self._long_poll.answer(partial(anew_if_gone, respond), read_request.context)
        return anew_if_gone(respond, read_request.context)


def anew_if_gone(respond: Callable[[RequestContext], T], context: RequestContext) -> T:
    """The answer, of what is fetched anew where the store knows of a content that it no longer holds."""
    try:
        return respond(context)
    except ContentGone:
        return respond(context.anew())
