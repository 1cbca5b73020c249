"""Who may import whom. The rules stand in docs/architecture.md; the two tables below say which module is what.

A module that no table names is pure: inputs in, results out, on numpy and the standard library, without a clock,
files, threads or asyncio. A new shell is named here in the change that adds it.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("streaming", "diarization", "drafting")

LAYERS: dict[str, str] = {
    # door: one library or the disk behind a few functions; decides nothing
    "drafting.fonts": "door",
    "streaming.local_authority": "door",
    "streaming.local_zone": "door",
    "streaming.free_memory": "door",
    "streaming.log_lines": "door",
    "streaming.machine_addresses": "door",
    "streaming.onnx": "door",
    "streaming.qr_code": "door",
    "streaming.sole_server": "door",
    "streaming.tracing": "door",
    "streaming.vad": "door",
    "streaming.weights": "door",
    # adapter: implements a seam for one transport, engine or store
    "diarization.embedded": "adapter",
    "diarization.gathering": "adapter",
    "diarization.pyannote_model": "adapter",
    "streaming.bodies": "adapter",
    "streaming.oidc": "adapter",
    "streaming.passwords": "adapter",
    "streaming.ice": "adapter",
    "streaming.embedded_recognizer": "adapter",
    "streaming.faster_whisper_recognizer": "adapter",
    "streaming.media": "adapter",
    "streaming.memory_records": "adapter",
    "streaming.memory_store": "adapter",
    "streaming.moonshine": "adapter",
    "streaming.note_bodies": "adapter",
    "streaming.redis_records": "adapter",
    "streaming.redis_door": "adapter",
    "streaming.redis_store": "adapter",
    "streaming.redis_rewriting": "adapter",
    "streaming.redis_keys": "adapter",
    "streaming.nodes": "adapter",
    "streaming.forwarding": "adapter",
    "streaming.anchored_track": "adapter",
    "streaming.rtp_track": "adapter",
    "streaming.tick_line": "adapter",
    "drafting.embedded": "adapter",
    "drafting.visit_ics": "adapter",
    "drafting.practice_files": "adapter",
    "streaming.practice_data": "app",
    "drafting.model_server": "adapter",
    "drafting.vllm_writer": "adapter",
    "drafting.export_docx": "adapter",
    "drafting.export_fhir": "adapter",
    "drafting.export_pdf": "adapter",
    "drafting.exports": "adapter",
    "streaming.engine_settings": "adapter",
    "streaming.retention_settings": "adapter",
    "streaming.envelope": "adapter",
    "streaming.key_source": "adapter",
    "streaming.vault": "adapter",
    "streaming.set_aside": "adapter",
    "streaming.settings": "adapter",
    "streaming.voice_file": "adapter",
    "streaming.survey": "adapter",
    "streaming.sqlite_file": "adapter",
    "streaming.sqlite_keys": "adapter",
    "streaming.sqlite_records": "adapter",
    "streaming.sqlite_schema": "adapter",
    "streaming.sqlite_steps": "adapter",
    "streaming.sqlite_store": "adapter",
    "streaming.webrtc": "adapter",
    "streaming.websocket_ingest": "adapter",
    # part: what a session is made of
    "streaming.scheduler": "part",
    "streaming.busy_pool": "part",
    "streaming.session_log": "part",
    "streaming.seating": "part",
    "streaming.track": "part",
    "streaming.track_audio": "part",
    "streaming.wall_clock": "part",
    # stage, session, app, command: one above the other; the app is where adapters are chosen
    "streaming.stages": "stage",
    "drafting.preparing": "stage",
    "drafting.stage": "stage",
    "streaming.note_desk": "session",
    "streaming.readings": "session",
    "streaming.redrafting": "session",
    "streaming.session": "session",
    "streaming.session_engines": "session",
    "streaming.access": "app",
    "streaming.admission": "app",
    "streaming.accounts": "app",
    "streaming.app": "app",
    "streaming.gate": "app",
    "streaming.provider_accounts": "app",
    "streaming.scoped": "app",
    "streaming.sign_ins": "app",
    "streaming.watch": "app",
    "streaming.charts": "app",
    "streaming.clip": "app",
    "streaming.device_keys": "app",
    "streaming.dictation": "app",
    "streaming.recap_book": "app",
    "streaming.recap_notes": "app",
    "streaming.visit_book": "app",
    "streaming.engines": "app",
    "streaming.metrics": "app",
    "streaming.refusals": "app",
    "streaming.serving": "app",
    "streaming.handover": "app",
    "streaming.signed_notes": "app",
    "streaming.audit_gate": "app",
    "streaming.audit_heads": "door",
    "streaming.audit_pruning": "app",
    "streaming.audit_trail": "app",
    "streaming.audit_view": "app",
    "streaming.sweeper": "app",
    "streaming.deletion": "app",
    "streaming.tally": "app",
    "streaming.sessions": "app",
    "streaming.amending": "app",
    "streaming.recording": "session",
    "streaming.recap_strikes": "app",
    "streaming.strikes": "app",
    "streaming.audit_commands": "command",
    "streaming.purge_commands": "command",
    "streaming.certificate_command": "command",
    "streaming.certificate_files": "command",
    "streaming.cli": "command",
    "streaming.connections": "command",
    "streaming.handshakes": "command",
    "streaming.doctor": "command",
    "streaming.enroll": "command",
    "streaming.doctor_machine": "command",
    "streaming.given_file": "command",
    "streaming.note_file": "command",
    "streaming.practice_commands": "command",
    "streaming.server": "command",
    "streaming.store_commands": "command",
    "streaming.transcribe": "command",
    "streaming.user_commands": "command",
}

PACKAGE_LAYERS = {"streaming.routes": "app"}
"""Packages all of whose modules are of one layer."""

MAY_IMPORT: dict[str, set[str]] = {
    "ground": {"ground"},
    "pure": {"ground", "pure"},
    "door": {"ground", "pure", "door"},
    "adapter": {"ground", "pure", "door", "adapter"},
    "part": {"ground", "pure", "door", "part"},
    "stage": {"ground", "pure", "door", "part", "stage"},
    "session": {"ground", "pure", "door", "part", "stage", "session"},
    "app": {"ground", "pure", "door", "adapter", "part", "session", "app"},
    "command": {"ground", "pure", "door", "adapter", "part", "stage", "session", "app", "command"},
}

GROUND = {"streaming.types", "streaming.errors"}
"""Imported by all, importing nothing of ours."""

FREE = {"numpy", "pydantic", "pydantic_settings"}
"""Third-party libraries that any shell may import; every other one has exactly one module as its door."""
SHARED_DOORS = {
    "fastapi": {"streaming.app", "streaming.routes"},
    "uvicorn": {"streaming.connections", "streaming.server"},
    "cryptography": {"streaming.vault", "streaming.local_authority"},
}
"""Libraries with more than one door: the application's modules, or packages of them."""
FAMILY = {
    "aioice": "aiortc",
    "joserfc": "authlib",
    "pylibsrtp": "aiortc",
    "starlette": "fastapi",
    "ctranslate2": "faster_whisper",
    "tokenizers": "faster_whisper",
}
"""Libraries that come and go with another one and share its door."""
OPTIONAL = {"faster_whisper", "opentelemetry", "pyannote", "openai", "torch", "transformers"}
"""Not in the base installation: imported at call time."""
NEVER = {"moonshine_voice"}
"""Only its files are used: importing it would load a second engine and ask for PortAudio."""

IMPURE_MODULES = {
    "asyncio",
    "concurrent",
    "http",
    "importlib",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "queue",
    "random",
    "secrets",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
IMPURE_FUNCTIONS = {"open", "print", "input"}
IMPURE_METHODS = {"now", "utcnow", "today"}
PURE_PARTS = {"importlib.resources", "urllib.parse"}
"""Parts of impure modules that pure ones may use: a table that ships in the package is a constant, not input."""


@dataclass(frozen=True)
class Import:
    """One imported module; `at_call` where it stands inside a function."""

    name: str
    line: int
    at_call: bool

    @property
    def library(self) -> str:
        top = self.name.partition(".")[0]
        return FAMILY.get(top, top)


@dataclass(frozen=True)
class Project:
    """Source by module name, and what each is."""

    sources: Mapping[str, str]
    layers: Mapping[str, str]

    def layer(self, module: str) -> str:
        if module in GROUND:
            return "ground"
        of_package = next((layer for package, layer in PACKAGE_LAYERS.items() if _within(module, package)), "pure")
        return self.layers.get(module, of_package)

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        return {module: ast.parse(source) for module, source in self.sources.items()}

    @cached_property
    def imports(self) -> dict[str, list[Import]]:
        return {module: list(self._walk(tree, module, at_call=False)) for module, tree in self.trees.items()}

    def _walk(self, node: ast.AST, module: str, *, at_call: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, child.lineno, at_call) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = self._base(child, module)
                for alias in child.names:
                    whole = f"{base}.{alias.name}"
                    yield Import(
                        whole if whole in self.sources or whole in PURE_PARTS else base, child.lineno, at_call
                    )
            else:
                inside = at_call or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from self._walk(child, module, at_call=inside)

    @staticmethod
    def _base(node: ast.ImportFrom, module: str) -> str:
        if not node.level:
            return node.module or ""
        package = ".".join(module.split(".")[: -node.level])
        return f"{package}.{node.module}" if node.module else package


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _ours(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES


def _third_party(found: Import) -> bool:
    top = found.name.partition(".")[0]
    return not _ours(found.name) and top not in sys.stdlib_module_names


def broken_rules(project: Project) -> list[str]:
    """Every broken rule as `module:line says what`."""
    broken = []
    for module in sorted(project.sources):
        for found in project.imports[module]:
            broken += [f"{module}:{found.line} {says}" for says in _faults(project, module, found)]
        if project.layer(module) in ("ground", "pure"):
            broken += [f"{module}:{line} is pure and calls {name}()" for line, name in _impure_calls(project, module)]
    return broken + _shared_libraries(project)


def _faults(project: Project, module: str, found: Import) -> Iterator[str]:
    layer = project.layer(module)
    top = found.name.partition(".")[0]
    if _ours(found.name):
        theirs = project.layer(found.name)
        if "." not in found.name:
            return  # the package itself holds nothing
        if layer == "ground" and found.name not in GROUND:
            yield f"is of the ground and imports {found.name}"
        elif theirs not in MAY_IMPORT[layer]:
            yield f"is {layer} and imports {found.name}, which is {theirs}"
        if {module.partition(".")[0], top} == {"diarization", "drafting"}:
            yield f"imports {found.name}: diarization and drafting never import each other"
        return
    if found.library in NEVER:
        yield f"imports {top}, of which only the files are used"
    if found.library in OPTIONAL and not found.at_call:
        yield f"imports {top} at its top, which is not in the base installation"
    if layer in ("ground", "pure"):
        if top in IMPURE_MODULES and found.name not in PURE_PARTS:
            yield f"is pure and imports {top}"
        if _third_party(found) and top != "numpy":
            yield f"is pure and imports {top}"


def _impure_calls(project: Project, module: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(project.trees[module]):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in IMPURE_FUNCTIONS:
                yield node.lineno, called.id
            if isinstance(called, ast.Attribute) and called.attr in IMPURE_METHODS:
                yield node.lineno, called.attr


def _shared_libraries(project: Project) -> list[str]:
    doors: dict[str, set[str]] = {}
    for module in project.sources:
        for found in project.imports[module]:
            if _third_party(found) and found.library not in FREE:
                shared = SHARED_DOORS.get(found.library, ())
                door = "" if any(_within(module, one) for one in shared) else module
                doors.setdefault(found.library, {""} if shared else set()).add(door)
    return [
        f"{library} is imported in {', '.join(sorted(modules - {''}))}: {_say_doors(library)}"
        for library, modules in sorted(doors.items())
        if len(modules) > 1
    ]


def _say_doors(library: str) -> str:
    shared = SHARED_DOORS.get(library)
    return f"its doors are {', '.join(sorted(shared))}" if shared else "one module is its door"


def _read_project() -> Project:
    sources = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            sources[name] = path.read_text(encoding="utf-8")
    return Project(sources, LAYERS)


def test_the_project_keeps_the_rules() -> None:
    project = _read_project()
    assert project.sources.keys() >= GROUND
    assert broken_rules(project) == []


def test_the_tables_name_what_exists() -> None:
    assert LAYERS.keys() - _read_project().sources.keys() == set()
    assert set(LAYERS.values()) <= MAY_IMPORT.keys()


def test_no_module_grows_past_four_hundred_lines() -> None:
    long = {name: text.count("\n") for name, text in _read_project().sources.items() if text.count("\n") > 400}
    assert long == {}


# The checker itself, on small projects that break one rule each.

_FAKE_LAYERS = {
    "streaming.door": "door",
    "streaming.adapter": "adapter",
    "streaming.part": "part",
    "streaming.stage": "stage",
    "streaming.session": "session",
    "streaming.session_engines": "session",
    "streaming.app": "app",
    "streaming.cli": "command",
}
_FAKE_MODULES = [*_FAKE_LAYERS, *GROUND, "streaming.core", "diarization.core", "drafting.core", "streaming"]


def _broken(**sources: str) -> list[str]:
    """`streaming_core="import os"` stands for that module's source; the others are empty."""
    given = {name.replace("_", ".", 1): text for name, text in sources.items()}
    return broken_rules(Project(dict.fromkeys(_FAKE_MODULES, "") | given, _FAKE_LAYERS))


@pytest.mark.parametrize(
    ("module", "source", "says"),
    [
        ("streaming_types", "from streaming.core import x", "of the ground"),
        ("streaming_core", "import asyncio", "is pure and imports asyncio"),
        ("streaming_core", "from os import path", "is pure and imports os"),
        ("streaming_core", "def f():\n    import time", "streaming.core:2 is pure and imports time"),
        ("streaming_core", "import pydantic", "is pure and imports pydantic"),
        ("streaming_core", "from datetime import datetime\nx = datetime.now()", "calls now()"),
        ("streaming_core", "x = open('x')", "calls open()"),
        ("streaming_core", "from streaming import door", "imports streaming.door, which is door"),
        ("streaming_core", "from . import door", "imports streaming.door, which is door"),
        ("streaming_core", "from .adapter import x", "imports streaming.adapter, which is adapter"),
        ("streaming_core", "import streaming.session as s", "imports streaming.session, which is session"),
        ("streaming_core", "if True:\n    from streaming.app import x", "imports streaming.app"),
        ("diarization_core", "from drafting.core import x", "never import each other"),
        ("drafting_core", "import diarization.core", "never import each other"),
        ("streaming_session", "from streaming.adapter import x", "is session and imports streaming.adapter"),
        ("streaming_part", "from streaming.stage import x", "is part and imports streaming.stage"),
        ("streaming_app", "from streaming.stage import x", "is app and imports streaming.stage"),
        ("streaming_adapter", "from streaming.app import x", "is adapter and imports streaming.app"),
        ("streaming_app", "from streaming.cli import x", "is app and imports streaming.cli"),
        ("streaming_adapter", "import moonshine_voice", "only the files"),
        ("streaming_adapter", "import faster_whisper", "at its top"),
        ("streaming_adapter", "from ctranslate2 import x", "at its top"),
    ],
)
def test_a_broken_rule_is_found(module: str, source: str, says: str) -> None:
    found = _broken(**{module: source})
    assert len(found) == 1
    assert says in found[0]


def test_a_library_with_two_doors_is_found() -> None:
    found = _broken(streaming_adapter="import aioice", streaming_app="from aiortc import RTCPeerConnection")
    assert found == ["aiortc is imported in streaming.adapter, streaming.app: one module is its door"]


def test_a_door_beside_shared_ones_is_found() -> None:
    found = _broken(streaming_adapter="import starlette", streaming_app="from fastapi import FastAPI")
    assert found == ["fastapi is imported in streaming.adapter: its doors are streaming.app, streaming.routes"]


def test_a_package_is_of_one_layer_and_shares_its_door() -> None:
    routes = "streaming.routes.pages"
    project = Project(
        dict.fromkeys(_FAKE_MODULES, "")
        | {routes: "from fastapi import APIRouter\nfrom streaming import stage, adapter"}
        | {"streaming.app": f"import fastapi\nimport {routes}"},
        _FAKE_LAYERS,
    )
    assert broken_rules(project) == [f"{routes}:2 is app and imports streaming.stage, which is stage"]


def test_what_is_allowed_is_not_called_broken() -> None:
    assert (
        _broken(
            streaming_core="import json\nfrom importlib import resources\nimport numpy as np\nimport streaming",
            streaming_adapter="import asyncio\nimport redis.asyncio\nfrom streaming import core, door",
            streaming_stage="from diarization.core import x\nfrom streaming.part import y",
            streaming_session="from streaming import stage\nfrom drafting.core import x",
            streaming_app="import pydantic\nfrom streaming.adapter import x\nfrom streaming.session import y",
            streaming_cli="from streaming.app import x\ndef f():\n    import faster_whisper",
        )
        == []
    )
