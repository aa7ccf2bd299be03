"""What is a strict JSON object, and what is the matter with anything else; tokens of such text are in ``confusing``."""

import pytest

from service.auth.strict_json import read_object
from tests.rows import each_row


def nested(levels: int) -> str:
    """An object of that many levels in all."""
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


@each_row(
    "text, reason",
    [
        ("[]", "^not an object$"),
        ('{"a":1e999}', "^too large$"),
        ('{"a":-1e999}', "^too large$"),
        ('{"a":NaN}', "^NaN$"),
        ('{"a":1,"a":1}', "^a member twice$"),
        (nested(33), "^too deep$"),
        ('{"a":"\\ud800"}', "surrogates not allowed"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_object(text.encode())


def test_as_much_as_is_read() -> None:
    assert read_object(nested(32).encode())
    found = read_object(b'{"a":1.7976931348623157e308,"b":"\xc3\xa4","c":[1,null,true]}')
    assert found == {"a": 1.7976931348623157e308, "b": "ä", "c": [1, None, True]}


def test_another_encoding_than_utf_8_is_none() -> None:
    with pytest.raises(UnicodeDecodeError):
        read_object('{"a":"ä"}'.encode("latin-1"))
