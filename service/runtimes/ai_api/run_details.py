"""Reads the related objects of a run from an AI API: configuration, artifacts, scenario, executable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Raw

from service.concurrency.deadline import Deadline
from service.concurrency.fan_out import FanOut
from service.domain.errors import BadGateway, ServiceError
from service.domain.runs import NULL, RunDetails
from service.runtimes import json_literals
from service.runtimes.ai_api import run_mapping
from service.runtimes.ai_api.run_mapping import Configuration, Execution

MOST_INPUTS = 50
"""The most input artifacts of a run that are read; further ones have only key and id."""
_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.:~-]{1,256}")

Get = Callable[[str, str], bytes]
"""Gets the body of a path; the second argument names the operation. Raises ``ServiceError`` unless successful."""
_Requests = Mapping[str, Callable[[], object]]


class RunDetailsReader:
    """The related objects of one run, read in parallel as far as their ids are known."""

    def __init__(self, execution: Execution, mended: bool, get: Get, fan_out: FanOut[ServiceError]) -> None:
        self._execution = execution
        self._mended = mended
        self._get = get
        self._fan_out = fan_out
        self._answers: dict[str, object] = {}
        self._unavailable: list[str] = []

    def read(self, deadline: Deadline) -> RunDetails:
        """The run with all parts that could be read."""
        execution, mended = self._execution, self._mended
        self._gather({"configuration": self._configuration, **self._places(execution, mended=mended)}, deadline)
        configured = self._answers["configuration"]
        parameters = inputs = NULL
        if isinstance(configured, ServiceError):
            self._unavailable += ("parameters", "inputArtifacts")
        else:
            assert isinstance(configured, tuple)  # noqa: S101 - what ``_configuration`` gives
            parameters, inputs = self._configured(configured[0], deadline, mended=configured[1])
        outputs, are_all = run_mapping.output_artifacts(execution, mended=mended)
        if not are_all:
            self._unavailable.append("outputArtifacts")
        return RunDetails(
            run=run_mapping.run(execution, mended=mended),
            status_details=run_mapping.status_details(execution, mended=mended),
            parameters=parameters,
            input_artifacts=inputs,
            output_artifacts=outputs,
            scenario=self._part("scenario"),
            executable=self._part("executable"),
            unavailable=tuple(self._unavailable),
        )

    def _configured(self, found: Configuration, deadline: Deadline, *, mended: bool) -> tuple[bytes, bytes]:
        """Parameters and input artifacts; and scenario and executable, where only the configuration names them."""
        ids = [binding.artifact_id for binding in found.bindings]
        artifacts = {id_: partial(self._body, "artifacts", id_) for id_ in dict.fromkeys(ids[:MOST_INPUTS])}
        places = {} if "scenario" in self._answers else self._places(found, mended=mended)
        self._gather({**places, **{f"artifact {id_}": request for id_, request in artifacts.items()}}, deadline)
        bodies = {id_: body for id_ in artifacts if isinstance(body := self._answers[f"artifact {id_}"], bytes)}
        self._unavailable += found.cut
        if "inputArtifacts" not in found.cut and not bodies.keys() >= set(ids):
            self._unavailable.append("inputArtifacts")
        return run_mapping.parameters(found, mended=mended), run_mapping.input_artifacts(found, bodies, mended=mended)

    def _gather(self, requests: _Requests, deadline: Deadline) -> None:
        answers = self._fan_out.gather(list(requests.values()), deadline)
        self._answers.update(zip(requests, answers, strict=True))

    def _configuration(self) -> tuple[Configuration, bool]:
        return run_mapping.configuration(self._body("configurations", _id(self._execution.configuration_id)))

    def _places(self, source: Execution | Configuration, *, mended: bool) -> _Requests:
        """The requests for the scenario and the executable named by ``source``."""
        scenario, executable = source.scenario_id, source.executable_id
        requests: dict[str, Callable[[], object]] = {}
        if bytes(scenario) != NULL:
            requests["scenario"] = lambda: run_mapping.scenario(
                self._body("scenarios", _id(scenario)), scenario, mended=mended
            )
            if bytes(executable) != NULL:
                requests["executable"] = lambda: run_mapping.executable(
                    self._body("scenarios", _id(scenario), "executables", _id(executable)), executable, mended=mended
                )
        return requests

    def _body(self, *path: str) -> bytes:
        if not all(map(_ID.fullmatch, path)):
            raise BadGateway("the AI runtime named something by an id that cannot be requested")
        return self._get("/lm/" + "/".join(path), path[-2].removesuffix("s"))

    def _part(self, name: str) -> bytes:
        answer = self._answers.get(name)
        if isinstance(answer, bytes):
            return answer
        self._unavailable.append(name)
        return NULL


def _id(literal: Raw) -> str:
    given = bytes(literal)
    return json_literals.text(given) if json_literals.is_string(given) else ""
