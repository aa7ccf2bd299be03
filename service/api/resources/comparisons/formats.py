"""The formats of a comparison."""

from __future__ import annotations

from service.api.http.formats import CSV, CSV_EXCEL, JSON, Writers, with_byte_order_mark
from service.api.resources.comparisons import to_csv, to_json
from service.api.resources.comparisons.to_json import Comparison

FORMATS: Writers[Comparison] = {
    JSON: to_json.written,
    CSV: to_csv.written,
    CSV_EXCEL: with_byte_order_mark(to_csv.written),
}
