"""Why points are not drawn: many at once as one by one."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.domain.series import columns, reasons
from tests.unit.domain.series import reference
from tests.unit.domain.series.logged import chunks, points


@given(st.lists(points(), min_size=1, max_size=40), st.integers(1, 7), st.booleans(), st.randoms())
def test_reasons_of_values_are_those_of_their_literals(
    texts: list[bytes], size: int, positive: bool, random: Random
) -> None:
    values = [point["value"] for point in reference.read(texts)]
    literals = [
        b"null" if value is None else value.encode() if isinstance(value, reference.Literal) else f'"{value}"'.encode()
        for value in values
    ]
    rows = random.sample(range(len(texts)), len(texts))
    found = reasons.of_values(columns.read(chunks(texts, size)), np.array(rows), positive=positive)
    assert found.tolist() == [reasons.of_value(literals[row], positive=positive) for row in rows]
