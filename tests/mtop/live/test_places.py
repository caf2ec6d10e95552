"""What may be written as the place of minions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.errors import SettingsError
from mtop.live.places import Name, place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://node1:8000", "http://node1:8000"),
        (" HTTP://Node1:8000/ ", "http://node1:8000"),
        ("https://node1/deep/er/", "https://node1/deep/er"),
        ("http://[2001:DB8::1]:80", "http://[2001:db8::1]:80"),
        ("dns+http://minions.ns.svc:8000", Name("http", "minions.ns.svc", 8000, "")),
        ("dns+https://minions:443/x/", Name("https", "minions", 443, "/x")),
        ("DNS+HTTP://minions:1", Name("http", "minions", 1, "")),
    ],
)
def test_places(text: str, place: str | Name) -> None:
    assert place_of(text) == place
    assert place_of(str(place)) == place


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no URL"),
        ("node1:8000", "no URL"),
        ("ftp://node1", "no URL"),
        ("dns://minions:1", "no URL"),
        ("dns+http:minions", "no URL"),
        ("http://", "missing"),
        ("http://:80", "missing"),
        ("http://node1:0", "missing"),
        ("http://node1:99999", "wrong"),
        ("http://node1:x", "wrong"),
        ("http://[::1", "wrong"),
        ("dns+http://minions", "port is missing"),
        ("http://n ode", "spaces"),
        ("http://n\u00f6de", "ASCII"),
        ("http://node\x1b[31m", "ASCII"),
        ("http://node1/?", "behind"),
    ],
)
def test_what_is_none_is_said_with_the_remedy(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        place_of(text)
    assert "write http://HOST:PORT" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text", ["http://me:hush@node1:1", "http://hush@node1", "http://node1?token=hush", "http://n#hush", "x://a:hush@n"]
)
def test_what_may_be_secret_is_not_repeated(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        place_of(text)
    assert "hush" not in str(caught.value)


@given(st.text(alphabet=st.sampled_from("ahtps:/+dn[]@?#%.19 \x00"), max_size=20).map("http://".__add__) | st.text())
def test_anything_is_a_place_or_an_error(text: str) -> None:
    try:
        place = place_of(text)
    except SettingsError:
        return
    assert place_of(str(place)) == place
