"""The three ways to sign in, and out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testing.waiting import eventually
from tests.servers.approuter import COOKIE, Approuter, approuter
from tests.servers.demo import Demo
from tests.servers.service_hosts import ServiceHost
from tests.servers.service_hosts import serving as serving_host
from tests.web.conftest import FIRST, RESEARCH, Watched, minted, signed_in
from tests.web.test_controls import query, select


def environment(demo: Demo, sign_in: str) -> dict[str, str]:
    """A further service on the demo's runtime, whose readers sign in otherwise."""
    ready = demo.ready
    return {
        "AICORE_BASE_URL": ready["runtime"],
        "AICORE_AUTH_URL": ready["authUrl"],
        "AICORE_CLIENT_ID": ready["clientId"],
        "AICORE_CLIENT_SECRET": ready["clientSecret"],
        "JWT_ISSUER": ready["issuer"],
        "JWT_AUDIENCE": "metric-resource",
        "WEB_CONCURRENCY": "1",
        "UI_SIGN_IN": sign_in,
        "UI_CLIENT_ID": "page",
    }


@pytest.fixture(scope="module")
def oidc(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceHost]:
    with serving_host(tmp_path_factory.mktemp("oidc"), environment(demo, "oidc"), demo.ready["token"]) as host:
        yield host


CONNECTION = """
[{name}]
default = {default}
base_url = "{runtime}"
auth_url = "{authUrl}"
client_id = "{clientId}"
client_secret_env = "SECRET"
resource_group = "{group}"
"""


@pytest.fixture(scope="module")
def session(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceHost]:
    """It has two connections: to runs of the group ``default``, and of ``research``."""
    directory = tmp_path_factory.mktemp("session")
    connections = directory / "connections.toml"
    places = (("first", "true", "default"), ("second", "false", "research"))
    connections.write_text(
        "".join(
            CONNECTION.format(name=name, default=default, group=group, **demo.ready) for name, default, group in places
        )
    )
    others = {name: value for name, value in environment(demo, "session").items() if not name.startswith("AICORE_")}
    several = {**others, "CONNECTIONS": str(connections), "SECRET": demo.ready["clientSecret"]}
    with serving_host(directory, several, demo.ready["token"]) as host:
        yield host


def test_without_a_token_the_page_asks_for_one(open_page: Callable[..., Watched], demo: Demo) -> None:
    watched = open_page()
    page = watched.open(f"?run={FIRST}&tab=metrics")
    page.get_by_label("Access token").fill(f"Bearer {demo.ready['token']}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Loss").wait_for()
    assert page.url.endswith(f"?run={FIRST}&tab=metrics")


@pytest.mark.slow
def test_a_token_that_no_header_can_have_is_refused_like_any_other(
    open_page: Callable[..., Watched], demo: Demo
) -> None:
    """Outside of Latin-1, of two lines, with a NUL; none of it is asked for, and the next one is."""
    watched = open_page()
    page = watched.open(f"?run={FIRST}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "fetch" else None)
    field, refusal = page.get_by_label("Access token"), page.get_by_role("alert")
    assert refusal.count() == 0
    for odd in ("żółw.✓.🐢", "one\ntwo", "Bearer a\0b"):
        field.fill(odd)
        page.get_by_role("button", name="Sign in").click()
        refusal.wait_for()
        assert refusal.inner_text() == "The token is not valid, or not any more."
        assert page.evaluate("Object.keys(sessionStorage)") == []
    assert asked == []
    field.fill(demo.ready["token"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("row", name="learning_rate 0.001").wait_for()
    assert refusal.count() == 0


@pytest.mark.slow
def test_a_token_that_has_expired_is_asked_for_anew_at_the_same_address(
    open_page: Callable[..., Watched], demo: Demo
) -> None:
    watched = signed_in(open_page(), minted(demo, "--role", "scenario_job_viewer", "--lifetime", "-3600"))
    page = watched.open("?status=DEAD")
    page.get_by_text("The token is not valid, or not any more.").wait_for()
    page.get_by_label("Access token").fill(demo.ready["token"])
    page.get_by_role("button", name="Sign in").click()
    page.locator("tbody tr").first.wait_for()
    assert page.url.endswith("?status=DEAD")
    assert page.locator("tbody tr").count() == 1


@pytest.mark.slow
def test_code_flow_with_pkce(open_page: Callable[..., Watched], oidc: ServiceHost, demo: Demo) -> None:
    """The reader comes back to where they were; what is kept is no token; a reload asks the provider again."""
    watched = open_page(f"http://127.0.0.1:{oidc.port}", apart=True)
    watched.allowed += [f"asked {demo.ready['issuer']}"]
    page = watched.open(f"?run={FIRST}&tab=metrics&part=tags")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Sign in to the sandbox").wait_for()
    assert "code_challenge_method=S256" in page.url
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.get_by_role("button", name="Sign in").click()
    page.locator(".tag").first.wait_for()
    assert page.url == f"http://127.0.0.1:{oidc.port}/ui/?run={FIRST}&tab=metrics&part=tags"
    kept = page.evaluate("JSON.stringify([sessionStorage, localStorage, document.cookie])")
    assert "eyJ" not in kept
    zones = page.locator("#zones option").evaluate_all("(all) => all.map(({ value }) => value)")
    assert zones[:2] == ["Europe/Berlin", "Asia/Tokyo"]  # the browser's, the token's
    page.reload()
    page.get_by_role("heading", name="Sign in to the sandbox").wait_for()
    page.get_by_role("button", name="Sign in").click()
    page.locator(".tag").first.wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="View the metric resource of a run").wait_for()
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.slow
def test_what_was_chosen_at_the_login_form_holds(
    open_page: Callable[..., Watched], oidc: ServiceHost, demo: Demo
) -> None:
    watched = open_page(f"http://127.0.0.1:{oidc.port}", apart=True)
    watched.allowed += [f"asked {demo.ready['issuer']}"]
    page = watched.open()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("checkbox", name="scenario_job_viewer").uncheck()
    page.get_by_role("checkbox", name="scenario_execution_viewer").uncheck()
    page.get_by_role("button", name="Sign in").click()
    problem = page.get_by_role("alert")
    problem.get_by_text("the scope scenarios.executions.read is missing").wait_for()
    assert "scenario_job_viewer" in problem.inner_text()
    assert page.locator("tbody tr").count() == 0


@pytest.mark.slow
def test_an_answer_of_another_sign_in_is_refused(
    open_page: Callable[..., Watched], oidc: ServiceHost, demo: Demo
) -> None:
    watched = open_page(f"http://127.0.0.1:{oidc.port}", apart=True)
    watched.allowed += [f"asked {demo.ready['issuer']}"]
    page = watched.open()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Sign in to the sandbox").wait_for()
    page.goto(f"{watched.service}/ui/?code=somebody-elses&state=another")
    page.get_by_role("alert").get_by_text("the answer is not of this sign-in").wait_for()
    assert page.url == f"{watched.service}/ui/"  # neither code nor state is left in it
    assert page.get_by_role("button", name="Sign in").is_visible()
    assert page.locator("tbody").count() == 0


@contextmanager
def with_a_cookie(
    open_page: Callable[..., Watched], session: ServiceHost, demo: Demo
) -> Iterator[tuple[Approuter, Watched]]:
    """A page behind an approuter that knows the browser by its cookie."""
    with approuter(session.port) as router:
        router.sessions["one"] = demo.ready["token"]
        watched = open_page(router.url, apart=True)
        cookie = {"name": COOKIE, "value": "one", "url": router.url}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield router, watched


@pytest.mark.slow
def test_behind_an_approuter(
    open_page: Callable[..., Watched], session: ServiceHost, demo: Demo, tmp_path: Path
) -> None:
    """No token ever reaches the page; a session that has expired is noticed whatever is answered, and renewed."""
    with with_a_cookie(open_page, session, demo) as (router, watched):
        page = watched.open(f"?run={FIRST}&tab=metrics&part=tags")
        assert page.locator(".tag").count() == 2
        select(page, "Resource group").wait_for()
        assert f"/runs/{FIRST}" in router.scripts_seen
        assert page.evaluate("sessionStorage.length") == 0
        for careless in (False, True):
            router.careless = careless
            expired = router.sessions.pop("one")
            page.get_by_role("button", name="Refresh").click()
            page.get_by_role("button", name="Sign in").first.wait_for()
            assert page.locator(".tag").count() == 2  # what was read stays, and so do the choices
            assert select(page, "Resource group").input_value() == "default"
            router.sessions["one"] = expired  # as after the login at the provider
            with page.expect_navigation():
                page.get_by_role("button", name="Sign in").first.click()
            watched.ready()
            select(page, "Resource group").wait_for()
            assert page.locator(".tag").count() == 2
            assert page.url.endswith(f"?run={FIRST}&tab=metrics&part=tags")


@pytest.mark.slow
def test_several_connections(
    open_page: Callable[..., Watched], session: ServiceHost, demo: Demo, tmp_path: Path
) -> None:
    """Connection and resource group are picked, stand in the address, go with each request, and are named in a problem."""
    with with_a_cookie(open_page, session, demo) as (_, watched):
        page = watched.open("?status=COMPLETED")
        picker = select(page, "Connection")
        picker.wait_for()
        assert picker.locator("option").all_inner_texts() == ["first", "second"]
        assert picker.input_value() == "first"
        page.get_by_role("checkbox", name=f"Compare {FIRST}").check()
        with page.expect_request(re.compile(r"/runs\?")) as asked:
            picker.select_option("second")
        assert asked.value.headers["ai-connection"] == "second"
        watched.ready()
        assert page.locator("tbody a").all_inner_texts() == [RESEARCH]
        assert query(page.url) == {
            "status": ["COMPLETED"],
            "connection": ["second"],
        }  # what was picked is of another place
        group = select(page, "Resource group")
        eventually(lambda: group.input_value() == "research")  # the connection's own
        page.get_by_role("link", name=RESEARCH).click()
        page.get_by_role("heading", name="Parameters").wait_for()
        assert query(page.url) == {"run": [RESEARCH], "connection": ["second"]}
        with page.expect_request(re.compile(rf"/runs/{RESEARCH}$")) as asked:
            select(page, "Resource group").select_option("default")
        assert asked.value.headers["ai-connection"] == "second"
        assert asked.value.headers["ai-resource-group"] == "default"
        problem = page.get_by_role("alert").first
        problem.get_by_text("in the resource group 'default' of the connection 'second'").wait_for()
        page.go_back()
        problem.wait_for(state="detached")
        eventually(lambda: picker.input_value() == "second")
