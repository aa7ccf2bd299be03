"""``metric-resource watch``: follow a run in the terminal, until it ends or a check holds."""

from __future__ import annotations

import argparse
import os
from urllib.parse import quote, urlencode

import msgspec

from service.demo.running_demos import running_demos
from service.domain.expectations import Expectation, NotUnderstood
from service.sandbox import mint_token
from service.watching.event_source import EventSource, Refused
from service.watching.progress import Progress
from service.watching.screens import Screen, screen

URL, TOKEN = "METRIC_RESOURCE_URL", "METRIC_RESOURCE_TOKEN"
DONE, NOT_SO, CANNOT, INTERRUPTED = 0, 1, 3, 130
_EPILOG = f"""\
The service's URL is taken from {URL}, the token from {TOKEN}; without them, the newest demo on this machine is
watched. Exit status: 0 the run has completed, or all of --until holds; 1 it has ended otherwise, or before --until
held; 3 it cannot be watched (the last line says why); 130 interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN", help="the run's id")
    parser.add_argument("--url", default=os.environ.get(URL), help=f"the service's URL ({URL})")
    parser.add_argument("--name", action="append", default=[], help="only the metric of that name; may be repeated")
    parser.add_argument("--label", action="append", default=[], help="only points with that label, name or name:value")
    parser.add_argument("--timezone", help="zone of timestamps: an IANA name or ±hh:mm")
    parser.add_argument("--resource-group", help="the run's resource group")
    parser.add_argument("--connection", help="the connection whose run it is")
    parser.add_argument(
        "--until",
        action="append",
        default=[],
        type=_expectation,
        metavar="CHECK",
        help="end once this check holds, such as 'Accuracy:last>=0.9'; may be repeated: end once all hold",
    )
    parser.add_argument("--plain", action="store_true", help="a line for each point in place of a table")
    parser.epilog = _EPILOG


def run(arguments: argparse.Namespace) -> int:
    """Show the run's progress; the exit status says how it ended (``_EPILOG``)."""
    url, token = arguments.url, os.environ.get(TOKEN)
    progress = Progress(tuple(arguments.until))
    with screen(arguments.run_id, plain=arguments.plain) as shown:
        try:
            if url is None or token is None:
                url, token = _of_demo(url, token)
            source = EventSource(
                _address(url, arguments),
                _headers(token, arguments),
                interrupted=lambda why, seconds: shown.say(f"{why}; trying again in {seconds:.0f} s"),
            )
            return _watch(source, progress, shown)
        except (Refused, msgspec.MsgspecError) as error:
            shown.say(str(error))
            return CANNOT
        except KeyboardInterrupt:
            return INTERRUPTED


def _watch(source: EventSource, progress: Progress, shown: Screen) -> int:
    for event in source:
        new = progress.take(event)
        shown.update(progress, new)
        if progress.expected and (new or progress.reason):
            checks = progress.checks()
            if all(check.passed for check in checks):
                for check in checks:
                    shown.say(check.detail)
                return DONE
            if progress.reason == "ended":
                for check in checks:
                    shown.say(check.detail)
    if progress.reason == "expired":
        raise Refused("the token has expired, or access was withdrawn: set a new one and watch again")
    return DONE if progress.status == "COMPLETED" and not progress.expected else NOT_SO


def _of_demo(url: str | None, token: str | None) -> tuple[str, str]:
    """URL and token, taken from the newest demo where they are not given."""
    demo = next(iter(running_demos()), None)
    if demo is None:
        missing = " and ".join(name for name, value in ((URL, url), (TOKEN, token)) if value is None)
        raise Refused(f"no demo is running here: set {missing}")
    return url or demo.service, token or mint_token(demo.data, demo.issuer, roles=["scenario_metric_viewer"])


def _address(url: str, arguments: argparse.Namespace) -> str:
    query = [("name", name) for name in arguments.name] + [("label", label) for label in arguments.label]
    if arguments.timezone:
        query.append(("timezone", arguments.timezone))
    path = f"{url.rstrip('/')}/runs/{quote(arguments.run_id, safe='')}/metric-resource/events"
    return f"{path}?{urlencode(query)}" if query else path


def _headers(token: str, arguments: argparse.Namespace) -> dict[str, str]:
    given = {"AI-Resource-Group": arguments.resource_group, "AI-Connection": arguments.connection}
    return {"Authorization": f"Bearer {token}", **{name: value for name, value in given.items() if value}}


def _expectation(text: str) -> Expectation:
    try:
        return Expectation.of(text)
    except NotUnderstood as error:
        raise argparse.ArgumentTypeError(str(error)) from None
