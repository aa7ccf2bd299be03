"""Answers from one run's metric resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flask import Response

from service.api.http.long_poll import LongPoll
from service.api.http.parameters import Parameters
from service.api.http.request import ReadRequest
from service.api.http.responses import Answers, Rendering, Representation
from service.domain.metrics import MetricResource
from service.domain.runtime import RequestContext
from service.reads.queries import Queries
from service.reads.results import Read


class RunAnswers:
    """Reads a run and answers with a representation of it; with ``long_poll`` when it changes, where the client asks
    for that.
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
        file: str = "",
    ) -> Response:
        """``form`` names all that ``make`` depends on beside the run, ``varies`` the request headers among that.
        ``points``: it reads the run's points, otherwise its tags and custom info. ``replayed``: it depends on the run's
        metric resource alone, so that the response cache may replay it. ``rendering``, ``file``: as in
        ``Representation``."""

        def represent(context: RequestContext) -> Representation:
            run = self._queries.metrics.resource(run_id, context)
            return Representation(
                content=(run.key, run.digest.hex()),
                form=form,
                format=read_request.format,
                provenance=run.provenance,
                make=lambda: make(run.content()) if points else self._beside_points(run, make),
                varies=varies,
                rendering=rendering,
                entry=(run.key, run.digest) if replayed else None,
                weight=run.size if points else 0,
                file=file,
            )

        return self._answers.read(represent, read_request.context, self._long_poll)

    def _beside_points(
        self, run: Read[MetricResource], make: Callable[[MetricResource], Iterable[bytes]]
    ) -> Iterator[bytes]:
        """The weight of tags and custom info, for which the first part of the content is unpacked."""
        resource = run.content()
        with self._answers.admitted(len(resource.tags) + len(resource.custom_info)):
            yield from make(resource)
