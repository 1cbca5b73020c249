"""Rule packs: what a note must hold, as dated data with sources; which packs count for a payer or a setting. Pure.

A pack file has `key`, `title`, `source`, `dated` and `[[rule]]`s. A rule has

    id        its name, in every finding
    severity  error (blocks signing), warning or info; a rule with `unsure = true`, on which no source is firm, is
              never an error
    message   what is missing and how to mend it; may hold {what}, filled where a need says what
    home      fact or part kinds: the first section that holds one is where the finding points
    when      a table of lists: service, modality, cpt, format, except_format, payer, setting; all must fit
    needs     what the note must have, one of NEEDS: fields (of the context, `a|b` for either), kinds (of facts told
              or entered), words (phrases in the note, `*` at a word's end for any ending; `by` says whose), or a name
    source, dated   where they differ from the pack's

A practice's own packs are the same, by the generic needs alone or the names below.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from drafting.data import load, names
from drafting.facts import FactKind
from drafting.note import Severity
from streaming.errors import PeerError
from streaming.types import NoteContext

GENERIC = ("fields", "kinds", "words")
NAMED = (
    "times", "cpt", "cpt_agrees", "one_code", "diagnosis_code", "measured", "technique", "goal_progress", "risk",
    "risk_asked", "risk_clear", "risk_followed", "place", "roles", "supported", "specific", "short_quotes", "answers",
    "group_size", "late_marked", "objectives", "em_apart", "thread",
)  # fmt: skip
WHEN_KEYS = ("service", "modality", "cpt", "format", "except_format", "payer", "setting")
BY = ("transcript", "chart", "clinician")
_RULE_KEYS = {
    "id", "severity", "message", "home", "when", "needs", "fields", "kinds", "words", "by", "unsure", "source",
    "dated",
}  # fmt: skip
_PACK_KEYS = {"key", "title", "source", "dated", "rule"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEY = re.compile(r"[a-z0-9_]{1,48}")
FIELDS = tuple(NoteContext.__dataclass_fields__)
PLAN_FIELDS = tuple(f"plan.{name}" for name in ("date", "type", "amount", "frequency", "duration", "signed_by"))


class BadPack(PeerError):
    """A rule pack that does not say what a pack must; the message names the place."""

    code = "bad_pack"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `words` is made of its phrases."""

    id: str
    severity: Severity
    message: str
    needs: str
    source: str
    dated: str
    home: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] | None = None
    fields: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    words: re.Pattern[str] | None = None
    by: tuple[str, ...] = BY
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """A dated set of rules."""

    key: str
    title: str
    source: str
    dated: str
    rules: tuple[Rule, ...]

    def as_json(self) -> dict[str, Any]:
        """For a page that shows which rules count, and on whose word."""
        return {
            "key": self.key,
            "title": self.title,
            "source": self.source,
            "dated": self.dated,
            "rules": [
                {
                    "id": rule.id,
                    "severity": rule.severity,
                    "message": rule.message.replace("{what}", "…"),
                    "when": {name: list(values) for name, values in (rule.when or {}).items()},
                    "source": rule.source,
                    "dated": rule.dated,
                    "unsure": rule.unsure,
                }
                for rule in self.rules
            ],
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """Which packs count: those for everyone, and more by payer and by setting; names in small letters."""

    always: tuple[str, ...]
    payers: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, tuple[str, ...]]

    def keys_for(self, context: NoteContext) -> tuple[str, ...]:
        """The packs' keys for this payer and setting, each once, in order."""
        by_payer = self.payers.get(folded(context.payer), ())
        by_setting = self.settings.get(folded(context.setting), ())
        return tuple(dict.fromkeys((*self.always, *by_payer, *by_setting)))


def folded(name: str | None) -> str:
    """A payer's or setting's name as it is compared."""
    return re.sub(r"[\s_-]+", "_", (name or "").strip().lower())


@lru_cache(maxsize=1)
def built_in() -> Mapping[str, Pack]:
    """The packs that come along, by key."""
    files = (load(f"rules/{name}.toml") for name in names("rules"))
    return {body["key"]: read(body) for body in files if "rule" in body}


@lru_cache(maxsize=1)
def built_in_choice() -> Choice:
    """Which packs count unless a practice says otherwise."""
    return choice(load("rules/choice.toml"), built_in().keys())


def choice(body: Mapping[str, Any], known: Iterable[str]) -> Choice:
    """A choice from decoded data: `always`, and `[payer]` and `[setting]` tables of pack keys. Raises BadPack."""
    have = set(known)

    def keys(value: object, place: str) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise BadPack(f"{place} is not a list of pack keys.")
        for one in value:
            if one not in have:
                raise BadPack(
                    f"{place} names a pack that is not there.", mend=f"Known are {', '.join(sorted(have))}."
                )
        return tuple(value)

    tables = {}
    for name in ("payer", "setting"):
        table = body.get(name, {})
        if not isinstance(table, Mapping):
            raise BadPack(f"{name} is not a table of lists of pack keys.")
        tables[name] = {folded(one): keys(value, f"{name}.{one}") for one, value in table.items()}
    return Choice(keys(body.get("always", []), "always"), tables["payer"], tables["setting"])


def parse(text: str) -> Pack:
    """A practice's own pack, from the text of its TOML file. Raises BadPack."""
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPack("The rule pack is not TOML.", mend=str(error)) from error
    return read(body)


def read(body: Mapping[str, Any]) -> Pack:
    """A pack from its decoded file. Raises BadPack with the place that is wrong."""
    for name in ("key", "title", "source", "dated"):
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise BadPack(f"{name} is missing.", mend="A pack needs key, title, source and dated.")
    _no_more(body, _PACK_KEYS, "the pack")
    if not _KEY.fullmatch(body["key"]):
        raise BadPack("key is no key.", mend="Use small letters, digits and underscores.")
    _dated(body["dated"], "dated")
    rows = body.get("rule")
    if not isinstance(rows, list) or not rows:
        raise BadPack("The pack has no [[rule]].")
    rules = tuple(_rule(row, f"rule[{at}]", body) for at, row in enumerate(rows))
    ids = [one.id for one in rules]
    for at, one in enumerate(ids):
        if one in ids[:at]:
            raise BadPack(f"rule[{at}].id is there twice.")
    return Pack(body["key"], body["title"], body["source"], body["dated"], rules)


def _rule(row: object, place: str, pack: Mapping[str, Any]) -> Rule:
    if not isinstance(row, Mapping):
        raise BadPack(f"{place} is not a table.", mend="Write [[rule]].")
    _no_more(row, _RULE_KEYS, place)
    for name in ("id", "severity", "message", "needs"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise BadPack(f"{place}.{name} is missing.")
    if not _KEY.fullmatch(row["id"]):
        raise BadPack(f"{place}.id is no key.", mend="Use small letters, digits and underscores.")
    severity, needs = row["severity"], row["needs"]
    if severity not in get_args(Severity):
        raise BadPack(f"{place}.severity is not known.", mend="Use error, warning or info.")
    if row.get("unsure") and severity == "error":
        raise BadPack(f"{place}.severity is error though the rule is unsure.", mend="Use warning or info.")
    if needs not in GENERIC + NAMED:
        raise BadPack(f"{place}.needs is not known.", mend=f"Use one of {', '.join(GENERIC + NAMED)}.")
    dated = row.get("dated", pack["dated"])
    _dated(dated, f"{place}.dated")
    given = {
        name: _texts(row.get(name, ()), f"{place}.{name}") for name in ("home", "fields", "kinds", "words", "by")
    }
    if needs in GENERIC and not given[needs]:
        raise BadPack(f"{place}.{needs} is missing, which its needs ask for.")
    _allowed(given["kinds"], get_args(FactKind), f"{place}.kinds")
    _allowed(given["by"], BY, f"{place}.by")
    for one in given["fields"]:
        _allowed(one.split("|"), FIELDS + PLAN_FIELDS, f"{place}.fields")
    return Rule(
        id=row["id"],
        severity=severity,
        message=row["message"],
        needs=needs,
        source=str(row.get("source", pack["source"])),
        dated=dated,
        home=given["home"],
        when=_when(row.get("when"), f"{place}.when"),
        fields=given["fields"],
        kinds=given["kinds"],
        words=phrases(given["words"]) if given["words"] else None,
        by=given["by"] or BY,
        unsure=bool(row.get("unsure", False)),
    )


def phrases(texts: Sequence[str]) -> re.Pattern[str]:
    """A pattern that finds any of these phrases, in any capitals; `*` at a word's end stands for any ending."""
    made = (re.escape(text.strip()).replace(r"\*", r"\w*").replace(r"\ ", r"[\s-]+") for text in texts)
    return re.compile(r"(?<!\w)(?:" + "|".join(made) + r")(?!\w)", re.IGNORECASE)


def _when(value: object, place: str) -> Mapping[str, tuple[str, ...]] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise BadPack(f"{place} is not a table.", mend='Write when = { cpt = ["90837"] }.')
    _no_more(value, set(WHEN_KEYS), place)
    return {name: tuple(map(folded, _texts(texts, f"{place}.{name}"))) for name, texts in value.items()}


def _texts(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one.strip() for one in value):
        raise BadPack(f"{place} is not a list of texts.")
    return tuple(value)


def _allowed(values: Iterable[str], known: Sequence[str], place: str) -> None:
    for one in values:
        if one not in known:
            raise BadPack(f"{place} holds what is not known.", mend=f"Use {', '.join(known)}.")


def _no_more(row: Mapping[str, Any], known: set[str], place: str) -> None:
    for key in row:
        if key not in known:
            raise BadPack(f"{place} has the unknown key {key}.", mend=f"Known are {', '.join(sorted(known))}.")


def _dated(value: object, place: str) -> None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise BadPack(f"{place} is not a date.", mend="Write year, month and day as 2026-01-31.")


_OWN: dict[str, Pack] = {}
_CHOICE: dict[str, Choice] = {}


def use(own: Mapping[str, Pack], chosen: Choice | None) -> None:
    """Take a practice's packs for this process, and which packs count for it."""
    _OWN.clear()
    _OWN.update(own)
    _CHOICE.clear()
    if chosen is not None:
        _CHOICE["choice"] = chosen


def known() -> Mapping[str, Pack]:
    """All packs by key: those that come along and the practice's own, which may stand in the place of one."""
    return {**built_in(), **_OWN}


def current_choice() -> Choice:
    """Which packs count for this practice."""
    return _CHOICE.get("choice", built_in_choice())


def packs_of(context: NoteContext) -> tuple[Pack, ...]:
    """The packs that count for this payer and setting."""
    have = known()
    return tuple(have[key] for key in current_choice().keys_for(context))
