"""The formats of pictures that are installed, and how one is rendered from a chart's specification."""

from __future__ import annotations

from service.api.http.formats import PNG, SVG, VEGA_LITE, Format
from service.api.http.responses import Rendering
from service.charts.rendering import Renderer

NO_PICTURES = "SVG and PNG need the extra 'charts' of this service, which is not installed here"
PICTURES = (SVG, PNG)


def rendering_of(renderer: Renderer, chosen: Format) -> Rendering | None:
    """How a picture is rendered; ``None`` for the specification itself."""
    if chosen == VEGA_LITE:
        return None
    return Rendering(
        VEGA_LITE, lambda specification: renderer.render(specification, chosen.media_type), renderer.prepare
    )


def pictures_of(renderer: Renderer) -> tuple[Format, ...]:
    """The formats of pictures that are installed."""
    return tuple(picture for picture in PICTURES if picture.media_type in renderer.media_types)
