"""The issuer of users' tokens, as somebody who verifies them sees it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import jwt
import pytest

from service.sandbox import keys, mint_token
from service.sandbox.app import parts_of
from service.sandbox.issuer import Issuer
from tests.servers.issuer_keys import with_keys

URL = "https://issuer.example"


def verified(api: Any, token: str) -> dict[str, Any]:
    """What a verifier makes of a token that knows nothing but the issuer's URL."""
    discovery = api.session.get(f"{api.url}/.well-known/openid-configuration", timeout=30).json()
    assert discovery["issuer"] == api.url
    found = jwt.PyJWKSet.from_dict(api.session.get(discovery["jwks_uri"], timeout=30).json())
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    key = found[header["kid"]]
    algorithms = discovery["id_token_signing_alg_values_supported"]
    assert header["alg"] == key.algorithm_name
    return dict(jwt.decode(token, key, algorithms=algorithms, audience="metric-resource", issuer=api.url))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_full_token(api: Any, algorithm: str) -> None:
    token = mint_token(
        parts_of(api.app).data_dir,
        api.url,
        roles=["scenario_metric_viewer"],
        scopes=["a.read", "b.read"],
        role_collections=["viewers"],
        zone="Europe/Berlin",
        subject="somebody",
        tenant="tenant-1",
        resource_groups=["default"],
        lifetime=60,
        algorithm=algorithm,
    )
    claims = verified(api, token)
    assert claims.pop("exp") - claims.pop("iat") == 60
    assert claims.pop("jti")
    assert claims == {
        "iss": api.url,
        "aud": "metric-resource",
        "sub": "somebody",
        "roles": ["scenario_metric_viewer"],
        "scope": "a.read b.read",
        "xs.system.attributes": {"xs.rolecollections": ["viewers"]},
        "xs.user.attributes": {"allowed_all_resourcegroups": ["default"]},
        "zoneinfo": "Europe/Berlin",
        "zid": "tenant-1",
    }


def test_a_bare_token_and_claims_of_ones_own(tmp_path: Path) -> None:
    issuer = Issuer.at(with_keys(tmp_path), f"{URL}/")
    unchecked: Any = {"verify_signature": False}
    bare = jwt.decode(issuer.mint(), options=unchecked)
    assert set(bare) == {"iss", "aud", "sub", "iat", "exp", "jti"}
    assert bare["iss"] == URL
    changed = jwt.decode(issuer.mint(claims={"jti": None, "groups": ["x"], "sub": "other"}), options=unchecked)
    assert ("jti" in changed, changed["groups"], changed["sub"]) == (False, ["x"], "other")


def test_an_expired_token(tmp_path: Path) -> None:
    issuer = Issuer.at(with_keys(tmp_path), URL)
    key = issuer.keys[keys.Algorithm.RS256].private.public_key()
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(issuer.mint(lifetime=-60), key, algorithms=["RS256"], audience="metric-resource")


def test_the_public_keys_hold_no_secret(api: Any) -> None:
    published = api.session.get(f"{api.url}/.well-known/jwks.json", timeout=30).json()["keys"]
    assert {key["alg"] for key in published} == {"RS256", "ES256"}
    assert all(not {"d", "p", "q", "dp", "dq", "qi"} & set(key) for key in published)
    assert len({key["kid"] for key in published}) == 2


def test_keys_stay_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = Issuer.at(tmp_path, URL).key_set()
    assert Issuer.at(tmp_path, URL).key_set() == first
    files = list((tmp_path / "keys").iterdir())
    assert sorted(file.name for file in files) == ["ES256.pem", "RS256.pem"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert Issuer.at(tmp_path / "other", URL).key_set() != first


def test_minting_without_a_sandbox_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        mint_token(tmp_path, URL)
    assert str(caught.value.filename).startswith(str(tmp_path))
