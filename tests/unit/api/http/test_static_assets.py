"""Static bodies: which conditions they are answered under."""

from __future__ import annotations

from flask import Flask, Response

from service.api.http.static_assets import REVALIDATED, Asset
from tests.rows import each_row

ASSET = Asset(b"body" * 100, "text/css")


def answer(**headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with Flask(__name__).test_request_context(headers=named):
        return ASSET.response(REVALIDATED)


@each_row(
    "condition", ["*", "{}", "W/{}", '"another", {}', '"a,b",{}', '"", {}', " {} ,", ', ,\t{}, W/"another"', '"W/", {}']
)
def test_the_client_has_it(condition: str) -> None:
    tag = answer().headers["ETag"]
    found = answer(If_None_Match=condition.format(tag))
    assert (found.status_code, found.data, found.headers["ETag"]) == (304, b"", tag)


@each_row("condition", ["{}x", "x{}", "W/ {}", "w/{}", '{} "another"', "{}; {}", "{}{}", "{}, another", '{}, "', "**"])
def test_a_malformed_condition_is_none(condition: str) -> None:
    tag = answer().headers["ETag"]
    assert answer(If_None_Match=condition.replace("{}", tag)).status_code == 200


@each_row("coding", ["gzip", "br", "zstd"])
def test_each_coding_has_its_tag(coding: str) -> None:
    encoded = answer(Accept_Encoding=coding)
    assert encoded.headers["Content-Encoding"] == coding
    assert answer(If_None_Match=encoded.headers["ETag"]).status_code == 200


@each_row("header", ["If_Match", "If_Unmodified_Since", "If_Modified_Since", "Range", "If_Range"])
def test_other_conditions_are_ignored_as_everywhere_in_the_service(header: str) -> None:
    """``412`` with the body itself was the answer to an ``If-Match``."""
    found = answer(**{header: '"another"'})
    assert (found.status_code, found.data) == (200, b"body" * 100)
