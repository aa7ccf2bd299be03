"""Titles of problems are sentences of one style, whoever answers: the application, the framework or the server."""

from __future__ import annotations

import json

from flask import Flask, abort

from service.api.http import problems
from service.server import refusals
from tests.rows import each_row

REFUSALS = [one for one in vars(refusals).values() if isinstance(one, refusals.Refusal)]


def is_a_sentence(title: str) -> bool:
    first, *others = title.replace("AI ", "").replace("URL ", "").split()
    return first[0].isupper() and all(word.islower() for word in others)


@each_row("refusal", REFUSALS)
def test_of_what_the_server_refuses(refusal: refusals.Refusal) -> None:
    assert is_a_sentence(refusal.problem.title)


@each_row("status", [400, 404, 405, 406, 413, 414, 415, 431])
def test_of_what_the_framework_refuses(status: int) -> None:
    app = Flask("app", static_folder=None)
    problems.register(app)
    app.add_url_rule("/", view_func=lambda: abort(status), endpoint="refuse")
    title = json.loads(app.test_client().get("/").data)["title"]
    assert is_a_sentence(title), title
