"""Figures of the verifier: sentences made by rule from any sessions, and paraphrases written about known ones.

`data/verifier/written.jsonl` holds for each sentence the session's file name, the utterance it tells (from 0), its
class and the text; the utterances around it are cited, as a writer cites them.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sentences import CLASSES, Sentence, sentences
from drafting.verify import SUPPORTED, Verdict, covered, verdict
from streaming.types import Role, Transcript

WRITTEN = Path(__file__).parent / "data" / "verifier" / "written.jsonl"


def auc(scores: Sequence[tuple[float, bool]]) -> float:
    """Probability that a true sentence scores above a false one, ties half."""
    true = [score for score, is_true in scores if is_true]
    false = [score for score, is_true in scores if not is_true]
    wins = sum((a > b) + 0.5 * (a == b) for a in true for b in false)
    return wins / max(1, len(true) * len(false))


def verifier_figures(sessions: Mapping[str, Transcript]) -> dict[str, Any]:
    """AUC of the verifier and of the plain word cover over the made sentences; each class against the true ones."""
    made: list[Sentence] = []
    for seed, transcript in enumerate(sessions.values()):
        made.extend(sentences(transcript, seed))
    if not made:
        return {}
    figures = _scored(made, CLASSES)
    written = written_sentences(sessions)
    kinds = tuple(dict.fromkeys(one.kind for one in written))
    return figures | ({"written": _scored(written, kinds)} if written else {})


def written_sentences(sessions: Mapping[str, Transcript]) -> list[Sentence]:
    """The hand-written sentences about those of the sessions that are here."""
    found: list[Sentence] = []
    for line in WRITTEN.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        transcript = sessions.get(row["session"])
        if transcript is not None:
            near = transcript.utterances[max(0, row["at"] - 1) : row["at"] + 2]
            found.append(
                Sentence(row["text"], row["kind"], tuple((_role(transcript, one), one.text) for one in near))
            )
    return found


def _role(transcript: Transcript, said: Any) -> Role:
    return transcript.roles.get(said.speaker, "other")


def _scored(made: Sequence[Sentence], classes: Sequence[str]) -> dict[str, Any]:
    started = time.process_time()
    full = [(verdict(one.text, one.evidence), one) for one in made]
    spent = time.process_time() - started
    plain = [(covered(one.text, " ".join(text for _, text in one.evidence)), one) for one in made]
    return {
        "sentences": len(made),
        "auc": round(auc([(found.score, one.true) for found, one in full]), 4),
        "auc_word_cover": round(auc([(score, one.true) for score, one in plain]), 4),
        "threshold": SUPPORTED,
        "ms_per_sentence": round(1000 * spent / max(1, len(made)), 3),
        "classes": {kind: _of_class(kind, full, plain) for kind in classes},
    }


def _of_class(
    kind: str, full: Sequence[tuple[Verdict, Sentence]], plain: Sequence[tuple[float, Sentence]]
) -> dict[str, Any]:
    of = [(found, one) for found, one in full if one.kind == kind]
    right = sum(found.supported == one.true for found, one in of)
    figures: dict[str, Any] = {"sentences": len(of), "judged_right": round(right / max(1, len(of)), 4)}
    if kind == "true":
        return figures
    against = [(found.score, one.true) for found, one in full if one.kind in (kind, "true")]
    cover = [(score, one.true) for score, one in plain if one.kind in (kind, "true")]
    return figures | {"auc": round(auc(against), 4), "auc_word_cover": round(auc(cover), 4)}


__all__ = ["auc", "verifier_figures", "written_sentences"]
