"""From a transcript to canonical facts: what was reported, done, answered and agreed. Pure.

The words of a fact are always words that were said; its sentence changes the person and adds who spoke, nothing else.
Facts of each kind come ranked by weight; how many a note takes is the format's matter.
"""

from collections.abc import Sequence

from drafting.agreed_facts import appointments, goal_progress, homework_reviews, plans
from drafting.clauses import Clause
from drafting.client_facts import changes_of, narrated
from drafting.clinician_facts import alternatives, interventions
from drafting.facts import Fact
from drafting.measures import answers
from drafting.risk_mentions import mentions
from streaming.types import UtteranceId


def facts_of(
    groups: Sequence[Sequence[Clause]], of_risk: frozenset[UtteranceId] = frozenset(), goals: Sequence[str] = ()
) -> tuple[Fact, ...]:
    """The facts of clauses grouped by utterance.

    An utterance that a more specific kind has taken (an appointment, an answer to a scale) is not told a second time
    as a plain report. Talk of risk belongs to the ledger: clauses that mention it are left out, and so are the
    utterances `of_risk`, questions and answers that the ledger holds. `goals` are the chart's.
    """
    risky = {clause for group in groups for clause in group if any(one.strong for one in mentions(clause))}
    calm = [[one for one in group if one not in risky and one.utterance not in of_risk] for group in groups]
    booked = appointments(calm)
    agreed = plans(calm)
    reviewed = homework_reviews(calm)
    measured = answers(calm)
    goal_talk = goal_progress(calm, goals)
    views = alternatives(calm)
    homework = [one for one in agreed if one.kind == "homework" or one.speaker == "client"]
    taken = {one.evidence[-1] for one in (*booked, *reviewed, *measured, *goal_talk, *views, *homework)}
    told = narrated(calm, frozenset(taken))
    changes = changes_of((*told, *measured))
    done = interventions(calm)
    found = (*told, *measured, *changes, *goal_talk, *reviewed, *views, *done, *agreed, *booked)
    return tuple(sorted(found, key=lambda one: (one.start, one.kind)))
