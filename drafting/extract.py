"""From a transcript to canonical facts: what was reported, done, answered and agreed. Pure.

The words of a fact are always words that were said; its sentence changes the person and adds who spoke, nothing else.
Facts of each kind come ranked by weight; how many a note takes is the format's matter.
"""

from collections.abc import Sequence

from drafting.agreed_facts import appointments, homework_reviews, plans
from drafting.clauses import Clause, by_utterance, clauses
from drafting.client_facts import answers, narrated
from drafting.clinician_facts import interventions
from drafting.facts import Fact
from drafting.risk_mentions import mentions
from streaming.types import Transcript


def facts(transcript: Transcript) -> tuple[Fact, ...]:
    """All facts of a transcript whose speakers have roles, in order of time."""
    groups = by_utterance(clauses(transcript), len(transcript.utterances))
    return facts_of(groups)


def facts_of(groups: Sequence[Sequence[Clause]]) -> tuple[Fact, ...]:
    """The facts of clauses grouped by utterance.

    An utterance that a more specific kind has taken (an appointment, an answer to a scale) is not told a second time
    as a plain report; talk of risk belongs to the ledger and is left out here.
    """
    risky = {clause for group in groups for clause in group if any(one.strong for one in mentions(clause))}
    calm = [[clause for clause in group if clause not in risky] for group in groups]
    booked = appointments(calm)
    agreed = plans(calm)
    reviewed = homework_reviews(calm)
    measured = answers(calm)
    taken = {one.evidence[-1] for one in (*booked, *reviewed, *measured)} | {
        place for one in agreed for place in one.evidence
    }
    told = narrated(calm, frozenset(taken))
    done = interventions(calm)
    found = (*told, *measured, *reviewed, *done, *agreed, *booked)
    return tuple(sorted(found, key=lambda one: (one.start, one.kind)))
