"""`sameday bench generate`: a session of two synthetic voices, as long as wanted, with all that is true of it."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from benchmarks import room
from benchmarks.long_talk import RESTLESS, SCRIPT
from benchmarks.progress import Progress
from benchmarks.session_plan import SCRIPTED, Script, Timing, read_script
from benchmarks.speech_generator import PLACES, Recipe, generate, save
from streaming.errors import BadTranscript, PeerError

_SPEAKING = 0.06
"""Seconds of one core for a second of session: flite, room and Opus (measured: 0.04)."""


def run(chosen: argparse.Namespace) -> int:
    """Make the session, write its files, print its figures as JSON.

    Raises EngineMissing without flite, BadTranscript for what is no script, PeerError where it cannot be written.
    """
    scripts = read_scripts(paths(chosen.script, chosen.manifest, chosen.seed))
    if chosen.restless:
        scripts = [replace(one, lines=tuple(replace(line, gap_s=None) for line in one.lines)) for one in scripts]
    recipe = recipe_of(chosen, natural=chosen.manifest is not None or chosen.minutes is not None)
    try:
        chosen.out.mkdir(parents=True, exist_ok=True)
        with Progress(60.0 * _SPEAKING * (chosen.minutes or 3.0)) as progress:
            length = f"about {chosen.minutes:g} minutes" if chosen.minutes else "once through"
            progress.say(f"{len(scripts)} scripts, {length}, seed {chosen.seed}")
            session = generate(scripts, recipe)
            progress.say("writing")
            figures = save(session, chosen.out, mix_only=chosen.mix_only)
    except ValueError as error:
        raise BadTranscript(f"{error}") from None
    except OSError as error:
        raise PeerError(f"The session cannot be written there: {error.strerror or 'unknown'}.") from None
    print(json.dumps({"folder": str(chosen.out), "seed": chosen.seed} | figures, indent=1))
    print(f"sameday bench live {chosen.out} plays it", file=sys.stderr)
    return 0


def paths(scripts: Sequence[Path] | None, manifest: Path | None, seed: int) -> list[Path]:
    """The files to speak: those named, a folder's in an order of the seed's, or the bundled script."""
    if scripts:
        return list(scripts)
    if manifest is None:
        return [SCRIPT]
    found = sorted(path for path in manifest.glob("*.json")) if manifest.is_dir() else [manifest]
    if not found:
        raise BadTranscript("There is no transcript in this folder.", mend="It needs *.json with utterances.")
    Random(seed).shuffle(found)
    return found


def read_scripts(files: Sequence[Path]) -> list[Script]:
    """All scripts. Raises BadTranscript."""
    found: list[Script] = []
    for path in files:
        try:
            found.append(read_script(json.loads(path.read_text(encoding="utf-8"))))
        except OSError as error:
            raise BadTranscript(f"A script cannot be read: {error.strerror or 'unknown'}.") from None
        except ValueError:
            raise BadTranscript("A script is no JSON.") from None
    return found


def recipe_of(chosen: argparse.Namespace, *, natural: bool) -> Recipe:
    """What the options say. A script that is spoken once keeps its own pauses; more is paced as talk is."""
    timing = RESTLESS if chosen.restless else Timing() if natural or chosen.overlap is not None else SCRIPTED
    if chosen.overlap is not None:
        timing = replace(timing, overlap_share=chosen.overlap)
    if chosen.pause is not None:
        low, high = timing.gap_range_s
        timing = replace(
            timing, gap_median_s=chosen.pause, gap_range_s=(min(low, chosen.pause), max(high, chosen.pause))
        )
    places = (
        {
            role: replace(place, ring_s=room.LARGE_RING_S, direct_db=room.LARGE_DIRECT_DB)
            for role, place in PLACES.items()
        }
        if chosen.room == "large"
        else PLACES
    )
    snr_db = None if chosen.no_noise else chosen.snr
    return Recipe(timing, chosen.minutes, snr_db, chosen.room != "none", chosen.seed, places)
