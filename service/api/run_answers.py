"""Answers that are made of one run's metric resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Response

from service.api.answers import Answers, Drawn, Variant
from service.api.inputs import Ask
from service.caching.codec import ContentGone
from service.domain.metrics import MetricResource
from service.queries import Queries
from service.runtimes.read_through import Demand


class RunAnswers:
    """Reads a run and answers with a representation of it, made where there is none yet."""

    def __init__(self, queries: Queries, answers: Answers) -> None:
        self._queries = queries
        self._answers = answers

    def answer(
        self,
        ask: Ask,
        run_id: str,
        form: tuple[str, ...],
        make: Callable[[MetricResource], Iterable[bytes]],
        *varies: str,
        points: bool = True,
        drawn: Drawn | None = None,
    ) -> Response:
        """``form`` names all that ``make`` hangs on beside the run; ``varies`` the headers among it; ``points`` whether
        it looks at the run's points; ``drawn`` as in ``Answers``."""

        def respond(demand: Demand) -> Response:
            run = self._queries.metric_resource(run_id, ask.vantage, ask.exchange, demand)
            variant = Variant(
                (run.key, run.digest.hex()),
                form,
                ask.format,
                varies,
                (run.key, run.digest),
                weight=run.size if points else 0,
            )
            return self._answers.answer(variant, run.provenance, lambda: make(run.resource()), drawn)

        return anew_if_gone(respond, ask.demand)


def anew_if_gone(respond: Callable[[Demand], Response], demand: Demand) -> Response:
    """The answer, of what is fetched anew where the store knows of a content that it no longer holds."""
    try:
        return respond(demand)
    except ContentGone:
        return respond(Demand.anew())
