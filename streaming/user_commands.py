"""`sameday user add|list|cosignature|disable|enable|password|token`: who may sign in."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, get_args

from streaming import audit_commands, passwords
from streaming.accounts import Account, Accounts
from streaming.audit_chain import HOUSE
from streaming.audit_commands import by_command
from streaming.errors import BadAccount
from streaming.ports import Records
from streaming.seats import LOCAL, Role
from streaming.settings import Settings

Found = TypeVar("Found")


def add_user(parser: argparse.ArgumentParser) -> None:
    """What `sameday user` takes."""
    kinds = parser.add_subparsers(required=True, metavar="ACTION")
    add = kinds.add_parser("add", help="a new account; from the first one on everybody signs in")
    add.add_argument("login", help="such as an email address")
    add.add_argument("--name", required=True, help="as it stands under notes")
    add.add_argument("--credentials", default="", help='such as "LCSW": stands beside the name')
    add.add_argument("--practice", default=LOCAL, help=f"whose sessions and charts it works with ({LOCAL})")
    add.add_argument("--role", choices=get_args(Role), default="clinician", help="clinician unless set")
    add.add_argument("--issuer", metavar="URL", help="the OpenID provider that vouches for it instead of a password")
    add.add_argument("--needs-cosignature", action="store_true", help="a supervisor signs its notes too")
    add.set_defaults(run=_add)
    cosignature = kinds.add_parser("cosignature", help="whether a supervisor signs the notes of an account too")
    cosignature.add_argument("login")
    cosignature.add_argument("needed", choices=("needed", "not-needed"))
    cosignature.set_defaults(run=_cosignature)
    show = kinds.add_parser("list", help="all accounts")
    show.set_defaults(run=_list)
    for action, work, told in (
        ("disable", _disable, "let nobody in with it, at once"),
        ("enable", _enable, "let it in again"),
        ("password", _password, "another password; who is signed in is out"),
    ):
        of_one = kinds.add_parser(action, help=told)
        of_one.add_argument("login")
        of_one.set_defaults(run=work)
    token = kinds.add_parser("token", help="a new access token, for clients that are no browsers")
    token.add_argument("login")
    token.add_argument("--days", type=float, default=90.0, help="how long it is good for (90)")
    token.add_argument("--drop", action="store_true", help="make all its tokens worthless instead")
    token.set_defaults(run=_token)


def _add(chosen: argparse.Namespace, settings: Settings) -> int:
    login = chosen.login.strip().lower()
    made = None
    if chosen.issuer is None:
        password = _typed(login)
        made = passwords.hashed(password)
    account = Account(
        login,
        chosen.name.strip(),
        chosen.practice,
        chosen.role,
        chosen.credentials.strip(),
        password=made,
        issuer=chosen.issuer,
        needs_cosignature=chosen.needs_cosignature,
    )
    _changed(settings, login, "account.add", lambda accounts: accounts.add(account))
    print(f"Added {login}, {chosen.role} of the practice {chosen.practice}.")
    return 0


def _list(_: argparse.Namespace, settings: Settings) -> int:
    for one in _with_records(settings, lambda records: Accounts(records).all()):
        state = "disabled" if one.disabled else f"by {one.issuer}" if one.issuer else "by password"
        print(f"{one.login:<32} {one.role:<10} {one.practice:<16} {state}")
    return 0


def _cosignature(chosen: argparse.Namespace, settings: Settings) -> int:
    needed = chosen.needed == "needed"
    _changed(
        settings,
        chosen.login,
        "account.cosignature",
        lambda accounts: accounts.set_cosignature(chosen.login, needed=needed),
    )
    print(f"What {chosen.login} signs from now on {'awaits a' if needed else 'needs no'} co-signature.")
    return 0


def _disable(chosen: argparse.Namespace, settings: Settings) -> int:
    _changed(settings, chosen.login, "account.disable", lambda accounts: accounts.disable(chosen.login))
    print(f"Disabled {chosen.login}; who was signed in with it is out.")
    return 0


def _enable(chosen: argparse.Namespace, settings: Settings) -> int:
    _changed(settings, chosen.login, "account.enable", lambda accounts: accounts.enable(chosen.login))
    print(f"Enabled {chosen.login}.")
    return 0


def _password(chosen: argparse.Namespace, settings: Settings) -> int:
    password = _typed(chosen.login)
    _changed(
        settings, chosen.login, "account.password", lambda accounts: accounts.set_password(chosen.login, password)
    )
    print(f"Changed; who was signed in as {chosen.login} is out.")
    return 0


def _token(chosen: argparse.Namespace, settings: Settings) -> int:
    if chosen.drop:
        count = _changed(
            settings, chosen.login, "account.drop_tokens", lambda accounts: accounts.drop_tokens(chosen.login)
        )
        print(f"Dropped {count} tokens of {chosen.login}.")
        return 0
    # The token alone, so that it can be put into a file: it is not shown again.
    print(
        _changed(
            settings, chosen.login, "account.token", lambda accounts: accounts.make_token(chosen.login, chosen.days)
        )
    )
    return 0


def _typed(login: str) -> str:
    """A password as it is typed twice, or the first line of standard input where that is no terminal.

    Raises BadAccount. Never an argument: those are seen by everybody on the machine.
    """
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise BadAccount("The two are not the same.", mend="Type it again.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    passwords.check_rules(password, login)
    return password


def _changed(
    settings: Settings, login: str, action: str, work: Callable[[Accounts], Coroutine[Any, Any, Found]]
) -> Found:
    """Something done to an account, which the audit log of its practice then says."""

    async def run(records: Records) -> Found:
        accounts = Accounts(records)
        done = await work(accounts)
        account = await accounts.find(login)
        practice = HOUSE if account is None else account.practice
        await audit_commands.record(records, settings, practice, by_command(action, "account", login))
        return done

    return _with_records(settings, run)


def _with_records(settings: Settings, work: Callable[[Records], Coroutine[Any, Any, Found]]) -> Found:
    """Something done with the records of the store, also while a server runs on it."""
    from streaming import engines

    async def run() -> Found:
        store = engines.open_store(settings)
        try:
            return await work(engines.open_records(store))
        finally:
            await store.close()

    return asyncio.run(run())
