"""Who is let in: passwords, sign-ins over time, tokens, rates, proxies. Without a server."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from streaming import media_token, passwords
from streaming.access import Access, Asking, network_of
from streaming.accounts import Account, Accounts
from streaming.errors import BadAccount, NotSignedIn, TooMany
from streaming.media_token import Grant
from streaming.memory_records import MemoryRecords
from streaming.peers import Peer, peer_of
from streaming.rate_limit import Rate
from streaming.scoped import PracticeRecords
from streaming.seats import ROLES, Seat
from streaming.settings import Settings
from streaming.sign_ins import SignIns

pytestmark = pytest.mark.unit
PASSWORD = "four quiet words apart"
HASH = passwords.hashed(PASSWORD)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def house(clock: Clock) -> tuple[Accounts, SignIns]:
    records = MemoryRecords()
    accounts = Accounts(records, clock)
    await accounts.add(Account("anna", "Anna North", "north", "clinician", password=HASH))
    return accounts, SignIns(records, accounts, idle_s=600, longest_s=3600, clock=clock)


@pytest.mark.parametrize("password", ["short", "a" * 300, "aaaaaaaaaaaaaaaa", "i am anna north"])
def test_a_password_that_is_easily_guessed_is_refused_and_not_quoted(password: str) -> None:
    with pytest.raises(BadAccount) as failure:
        passwords.check_rules(password, "anna")
    assert password not in str(failure.value)
    passwords.check_rules(PASSWORD, "anna")


def test_a_hash_is_of_its_password_alone_and_nobody_s_is_of_none() -> None:
    assert HASH.startswith("$argon2id$")
    assert passwords.matches(HASH, PASSWORD)
    assert not passwords.matches(HASH, f"{PASSWORD} ")
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches("no hash", PASSWORD)


def test_where_there_is_no_password_the_same_work_is_done() -> None:
    assert extract_parameters(passwords.NOBODYS) == extract_parameters(HASH)
    with pytest.raises(VerifyMismatchError):  # once it has been worked out
        PasswordHasher().verify(passwords.NOBODYS, PASSWORD)


def test_for_nobody_the_same_hash_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []

    class Hasher:
        def verify(self, kept: str, password: str) -> bool:
            computed.append(kept)
            return True

    monkeypatch.setattr(passwords, "_hasher", Hasher())
    assert not passwords.matches(None, PASSWORD)
    assert passwords.matches(HASH, PASSWORD)
    assert [one.rpartition("$")[0].rpartition("$")[0] for one in computed] == ["$argon2id$v=19$m=65536,t=3,p=4"] * 2


async def test_a_sign_in_ends_without_use_and_at_its_time() -> None:
    clock = Clock()
    accounts, sign_ins = await house(clock)
    anna = await accounts.find("anna")
    assert anna is not None
    idle, used = await sign_ins.begin(anna), await sign_ins.begin(anna)
    assert idle != used
    for _ in range(7):
        clock.now += 500
        assert await sign_ins.seat(used) is not None
    assert await sign_ins.seat(idle) is None
    clock.now += 500
    assert await sign_ins.seat(used) is None
    assert await sign_ins.seat("never given") is None


async def test_attempts_run_out_for_one_account_from_one_address_and_a_right_one_costs_none() -> None:
    _, sign_ins = await house(Clock())
    for _ in range(8):
        assert (await sign_ins.by_password(" Anna ", PASSWORD, "10.0.0.1")).login == "anna"
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            await sign_ins.by_password("anna", "wrong", "10.0.0.1")
    with pytest.raises(TooMany):
        await sign_ins.by_password("anna", PASSWORD, "10.0.0.1")
    assert (await sign_ins.by_password("anna", PASSWORD, "10.0.0.2")).login == "anna"


async def test_what_is_kept_of_tokens_and_sign_ins_opens_nothing() -> None:
    records = MemoryRecords()
    accounts = Accounts(records)
    await accounts.add(Account("anna", "Anna", "north", "clinician", password=HASH))
    anna = await accounts.find("anna")
    assert anna is not None
    token = await accounts.make_token("anna", 1)
    cookie = await SignIns(records, accounts, idle_s=9, longest_s=9).begin(anna)
    kept = repr(vars(records))
    assert token not in kept
    assert cookie not in kept
    assert await accounts.by_token(token) == anna
    assert await accounts.drop_tokens("anna") == 1
    assert await accounts.by_token(token) is None


async def test_a_token_is_over_after_its_days() -> None:
    clock = Clock()
    accounts, _ = await house(clock)
    token = await accounts.make_token("anna", 1)
    clock.now += 86_399
    assert await accounts.by_token(token) is not None
    clock.now += 2
    assert await accounts.by_token(token) is None


@pytest.mark.parametrize(
    ("login", "practice", "name"),
    [
        ("Anna", "north", "A"),
        ("", "north", "A"),
        ("a b", "north", "A"),
        ("anna", "a:b", "A"),
        ("anna", "@access", "A"),
        ("anna", "north", " "),
        ("anna", "north", "A\nB"),
    ],
)
async def test_an_account_that_cannot_be_is_refused(login: str, practice: str, name: str) -> None:
    with pytest.raises(BadAccount):
        await Accounts(MemoryRecords()).add(Account(login, name, practice, ROLES[0], password=HASH))


async def test_an_account_is_added_once() -> None:
    accounts, _ = await house(Clock())
    with pytest.raises(BadAccount):
        await accounts.add(Account("anna", "Another", "south", "clinician", password=HASH))


async def test_two_practices_keep_the_same_key_apart_and_neither_reaches_accounts() -> None:
    records = MemoryRecords()
    north, south, local = (PracticeRecords(records, name) for name in ("north", "south", "local"))
    for version, practice in enumerate((north, south, local)):
        await practice.put("chart", "one", {"of": version}, version=0)
    assert [(await one.get("chart", "one")).body["of"] for one in (north, south, local)] == [0, 1, 2]
    assert [len(await one.all("chart")) for one in (north, south, local)] == [1, 1, 1]
    await north.remove("chart", "one")
    assert len(await south.all("chart")) == 1


KEY = bytes(range(32))
GRANT = Grant("north", "a1b2", "anna", 2_000)
TOKEN = media_token.write(KEY, GRANT)


def test_a_media_token_is_what_it_was_given_for_until_its_time() -> None:
    assert media_token.read(KEY, TOKEN, 1_999) == GRANT
    assert media_token.read(KEY, TOKEN, 2_000) is None
    assert media_token.read(bytes(32), TOKEN, 1_999) is None


@given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=1, max_codepoint=300))
def test_a_changed_media_token_is_none(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    found = media_token.read(KEY, changed, 1_999)
    # The last letter of base64 has bits that say nothing: such a change leaves the token what it was.
    assert found in (None, GRANT)


async def test_a_media_token_connects_within_its_time_and_as_long_as_its_account_is_good() -> None:
    records = MemoryRecords()
    access = Access(records, Settings(media_token_s=600))
    await access.accounts.add(Account("anna", "Anna North", "north", "clinician", password=HASH))
    token, until = await access.media_token(Account("anna", "", "north", "clinician").seat("token"), "a1b2")

    async def seat(at: int) -> Seat | None:
        peer = Peer("192.0.2.1", secure=True, loopback=False)
        return await access.seat(Asking("/api/sessions/a1b2/audio", "POST", {}, {}, token, peer, at))

    found = await seat(until - 1)
    assert found is not None
    assert (found.practice, found.way, found.account, found.session) == ("north", "media", "anna", "a1b2")
    assert await seat(until) is None
    await access.accounts.disable("anna")
    assert await seat(until - 1) is None


@given(st.text(max_size=80))
def test_no_text_is_taken_for_a_media_token(text: str) -> None:
    assert media_token.read(KEY, text, 0) is None


def test_a_rate_gives_its_amount_and_then_one_at_a_time() -> None:
    rate = Rate(3, 30.0)
    assert [rate.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rate.take("a", 0.0) == pytest.approx(10.0)
    assert rate.take("b", 0.0) == 0.0
    assert rate.take("a", 10.0) == 0.0
    assert rate.take("a", 10.0) > 0
    rate.give_back("a")
    assert rate.take("a", 10.0) == 0.0


@given(st.lists(st.floats(0, 5), min_size=30, max_size=60))
def test_a_rate_is_never_exceeded(pauses: list[float]) -> None:
    rate, now, taken = Rate(4, 20.0), 0.0, 0
    for pause in pauses:
        now += pause
        taken += rate.take("a", now) == 0.0
    assert taken <= 4 + now / 5.0 + 1


PROXY = ("10.0.0.0/24",)


@pytest.mark.parametrize(
    ("address", "headers", "proxies", "expected"),
    [
        ("127.0.0.1", {}, (), ("127.0.0.1", True)),
        ("127.0.0.1", {"x-forwarded-for": "1.2.3.4"}, (), ("127.0.0.1", False)),
        ("192.0.2.1", {}, (), ("192.0.2.1", False)),
        ("10.0.0.9", {"x-forwarded-for": "1.2.3.4"}, PROXY, ("1.2.3.4", False)),
        # What a client wrote itself stands before what the proxy saw.
        ("10.0.0.9", {"x-forwarded-for": "127.0.0.1, 1.2.3.4"}, PROXY, ("1.2.3.4", False)),
        ("10.0.0.9", {"x-forwarded-for": "1.2.3.4, 10.0.0.7"}, PROXY, ("1.2.3.4", False)),
        ("10.0.0.9", {}, PROXY, ("10.0.0.9", False)),
        ("192.0.2.1", {"x-forwarded-for": "10.0.0.9"}, PROXY, None),
        ("127.0.0.1", {}, PROXY, None),
    ],
)
def test_who_is_at_the_other_end(
    address: str, headers: dict[str, str], proxies: tuple[str, ...], expected: tuple[str, bool] | None
) -> None:
    found = peer_of(address, "http", headers, proxies)
    assert (found and (found.address, found.loopback)) == expected


def test_a_proxy_says_whether_it_was_asked_over_tls_and_nobody_else_does() -> None:
    told = {"x-forwarded-proto": "https"}
    behind, direct = peer_of("10.0.0.9", "http", told, PROXY), peer_of("192.0.2.1", "http", told, ())
    assert behind is not None
    assert direct is not None
    assert (behind.secure, direct.secure) == (True, False)


def test_a_sender_over_ipv6_is_its_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2")
    assert network_of("2001:db8::1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize(
    ("given", "exposed"),
    [
        ({}, False),
        ({"allowed_origins": ("https://notes.example.org",)}, True),
        ({"behind_proxy": ("10.0.0.1",)}, True),
    ],
)
def test_a_server_that_others_are_meant_to_reach_is_exposed(given: dict[str, tuple[str, ...]], exposed: bool) -> None:
    assert Settings(**given).exposed is exposed  # type: ignore[arg-type]
