"""The command line of `sameday bench`: what it takes. What a command does is imported when it runs."""

import argparse
from collections.abc import Callable
from pathlib import Path

from streaming.errors import PeerError
from streaming.settings import Settings

Run = Callable[[argparse.Namespace, Settings], int]


def add_bench(bench: argparse.ArgumentParser) -> None:
    """All that `sameday bench` can do. Each command sets `run`."""
    kinds = bench.add_subparsers(required=True, metavar="WHAT")
    _live(kinds.add_parser("live", help="sessions at real-time pace: latencies, cost, how many at once"))
    _accuracy(kinds.add_parser("accuracy", help="word and speaker errors over recordings with references"))
    _draft(kinds.add_parser("draft", help="the note's figures: roles, risk, support, speed"))
    _load(kinds.add_parser("load", help="connect storms, loss, jitter, reorder, narrow lines, slow readers"))
    _capacity(
        kinds.add_parser("capacity", help="what a measured ramp means for a day of many sessions, and its cost")
    )
    _kill(kinds.add_parser("kill", help="kill -9 of the server at random points: what was acknowledged, recovery"))
    _soak(kinds.add_parser("soak", help="sessions one after another for long: memory, threads, open files"))
    _compare(kinds.add_parser("compare", help="the same audio through other ways of streaming, same weights"))
    _diff(kinds.add_parser("diff", help="what changed between two reports beyond noise"))
    _generate(kinds.add_parser("generate", help="a session of two synthetic voices with its reference"))


def _live(live: argparse.ArgumentParser) -> None:
    live.add_argument(
        "session", type=Path, nargs="?", help="a folder of the speech generator; the bundled one unless set"
    )
    live.add_argument(
        "--transport", choices=("webrtc", "websocket", "both"), default="webrtc", help="webrtc unless set"
    )
    live.add_argument("--sessions", type=_count, metavar="N", help="so many at once, against one server")
    live.add_argument("--ramp", action="store_true", help="more and more at once until a limit is broken")
    live.add_argument("--start", type=_count, default=1, metavar="A", help="the ramp's first number (1)")
    live.add_argument("--step", type=_count, default=4, metavar="B", help="the ramp's step (4); then halves")
    live.add_argument("--most", type=_count, default=24, metavar="C", help="the ramp's greatest number (24)")
    live.add_argument("--seconds", type=_seconds, default=45.0, metavar="S", help="of audio a session (45)")
    live.add_argument("--pieces", type=_count, default=4, metavar="K", help="the recording begins at K places (4)")
    live.add_argument("--within", type=_seconds, default=1.5, metavar="S", help="limit of final p95 (1.5)")
    live.add_argument(
        "--judge", choices=("final", "past-endpoint", "past-silence"), default="past-endpoint",
        help="what the limit is on (past-endpoint: without the 0.7 s of silence that end an utterance)",
    )  # fmt: skip
    live.add_argument("--minutes", type=_seconds, default=12.0, metavar="M", help="a ramp's time at most (12)")
    live.add_argument("--no-alone", action="store_true", help="do not transcribe the pieces alone for comparison")
    live.add_argument(
        "--server",
        metavar="URL",
        help="a server that runs already: sessions there are marked, and deleted afterwards",
    )
    live.add_argument("--token-file", type=Path, metavar="FILE", help="an access token for it, in the first line")
    live.add_argument("--authority", type=Path, metavar="FILE", help="the certificate that its own is trusted by")
    live.add_argument("--profile", action="store_true", help="a flame graph of the server, in the report")
    _report(live)
    live.set_defaults(run=_run_live)


def _accuracy(accuracy: argparse.ArgumentParser) -> None:
    accuracy.add_argument(
        "manifest", type=Path, help="a manifest, or a folder of recordings with references beside them"
    )
    accuracy.add_argument(
        "--speakers", type=_speakers, metavar="N", help="people heard; as the references say unless set"
    )
    accuracy.add_argument("--no-offline", action="store_true", help="do not decode utterances whole for comparison")
    _report(accuracy)
    accuracy.set_defaults(run=_run_accuracy)


def _draft(draft: argparse.ArgumentParser) -> None:
    draft.add_argument("folder", type=Path, nargs="?", help="transcripts in the documented shape")
    draft.add_argument("--json", action="store_true", help="print JSON")
    draft.set_defaults(run=_run_draft)


def _load(load: argparse.ArgumentParser) -> None:
    load.add_argument(
        "session", type=Path, nargs="?", help="a folder of the speech generator; the bundled one unless set"
    )
    load.add_argument("--only", metavar="NAMES", help="scenarios, with commas between; all unless set")
    load.add_argument("--seconds", type=_seconds, default=30.0, metavar="S", help="of audio a session (30)")
    load.add_argument("--storm", type=_count, default=30, metavar="N", help="connections of a storm (30)")
    load.add_argument("--seed", type=int, default=1)
    load.add_argument("--list", action="store_true", help="name the scenarios and end")
    _report(load)
    load.set_defaults(run=_run_load)


def _capacity(capacity: argparse.ArgumentParser) -> None:
    capacity.add_argument("ramp", type=Path, nargs="?", help="a ramp's report; a kept one unless set")
    capacity.add_argument("--sessions", type=_many, default=100, metavar="N", help="that begin in an hour (100)")
    capacity.add_argument(
        "--places", type=_count, metavar="N", help="sessions a server takes; by the model unless set"
    )
    capacity.add_argument("--losses", type=_share, default=0.01, metavar="P", help="losses a server and day (0.01)")
    capacity.add_argument("--price", type=_seconds, metavar="X", help="of a server for an hour, in any currency")
    capacity.add_argument("--seed", type=int, default=1)
    capacity.add_argument("--json", action="store_true", help="print JSON")
    capacity.set_defaults(run=_run_capacity)


def _kill(kill: argparse.ArgumentParser) -> None:
    kill.add_argument("--runs", type=_count, default=50, metavar="N", help="servers that are killed (50)")
    kill.add_argument("--sessions", type=_count, default=2, metavar="N", help="at once in each run (2)")
    kill.add_argument("--seconds", type=_seconds, default=20.0, metavar="S", help="of audio a session (20)")
    kill.add_argument("--pace", type=_seconds, default=3.0, metavar="X", help="times real time (3)")
    kill.add_argument("--seed", type=int, default=1, metavar="N", help="of when a server is killed (1)")
    _report(kill)
    kill.set_defaults(run=_run_kill)


def _soak(soak: argparse.ArgumentParser) -> None:
    soak.add_argument("--sessions", type=_count, default=8, metavar="N", help="at once (8)")
    soak.add_argument("--minutes", type=_seconds, default=60.0, metavar="M", help="of audio a session (60)")
    soak.add_argument("--pace", type=_seconds, default=2.0, metavar="X", help="times real time at most (2)")
    soak.add_argument(
        "--connects", type=int, default=500, metavar="N", help="connections made and broken after it (500)"
    )
    soak.add_argument(
        "--limit", type=_seconds, default=3600.0, metavar="S", help="seconds after which it ends (3600)"
    )
    _report(soak)
    soak.set_defaults(run=_run_soak)


def _compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument(
        "session", type=Path, nargs="?", help="a folder of the speech generator; the bundled one unless set"
    )
    compare.add_argument("--seconds", type=_seconds, default=120.0, metavar="S", help="of its audio (120)")
    compare.add_argument("--runs", type=_count, default=3, metavar="N", help="of each, in turn (3)")
    compare.add_argument(
        "--minutes", type=_seconds, default=30.0, metavar="M", help="after which no further run is begun (30)"
    )
    compare.add_argument("--only", metavar="NAMES", help="systems, with commas between; all unless set")
    _report(compare)
    compare.set_defaults(run=_run_compare)


def _diff(diff: argparse.ArgumentParser) -> None:
    diff.add_argument("before", type=Path, help="a report's JSON")
    diff.add_argument("after", type=Path, help="another's")
    diff.add_argument("--all", action="store_true", help="what did not change as well")
    diff.add_argument("--json", action="store_true", help="print JSON")
    diff.set_defaults(run=_run_diff)


def _generate(generate: argparse.ArgumentParser) -> None:
    source = generate.add_mutually_exclusive_group()
    source.add_argument("--script", type=Path, action="append", help="a script or transcript, repeatable")
    source.add_argument("--manifest", type=Path, help="a folder of transcripts, drawn from by the seed")
    generate.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the session's files")
    generate.add_argument("--minutes", type=_seconds, help="about so long; once through unless set")
    generate.add_argument("--snr", type=float, default=30.0, metavar="DB", help="speech against noise (30)")
    generate.add_argument("--no-noise", action="store_true")
    generate.add_argument("--room", choices=("none", "small", "large"), default="small", help="small unless set")
    generate.add_argument(
        "--overlap", type=_share, default=None, metavar="SHARE", help="of turn changes that overlap (0.1)"
    )
    generate.add_argument("--pause", type=_seconds, metavar="S", help="median pause between turns (0.6)")
    generate.add_argument(
        "--restless", action="store_true", help="no pause above 0.5 s: continuous talk, no endpoint is reached"
    )
    generate.add_argument("--mix-only", action="store_true", help="no files with one voice each")
    generate.add_argument("--seed", type=int, default=1)
    generate.set_defaults(run=_run_generate)


def _report(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument(
        "--save", type=Path, metavar="FILE.json", help="keep the report there, and its page beside it (.html)"
    )


def _run_live(chosen: argparse.Namespace, settings: Settings) -> int:
    from benchmarks import commands, commands_live

    if chosen.server is not None:
        return _run_live_elsewhere(chosen)
    if chosen.token_file is not None or chosen.authority is not None:
        raise PeerError("--token-file and --authority are for another server.", mend="Name it with --server.")
    if chosen.sessions is None and not chosen.ramp and not chosen.profile:
        return commands.live(chosen.session, chosen.transport, as_object=chosen.json, save=chosen.save)
    if chosen.sessions is not None and chosen.ramp:
        raise PeerError("--sessions and --ramp do not go together.", mend="Choose one.")
    judges = {"final": "final_s", "past-endpoint": "past_endpoint_s", "past-silence": "past_silence_s"}
    wanted = commands_live.Wanted(
        transport=chosen.transport,
        sessions=chosen.sessions or (None if chosen.ramp else 1),
        start=chosen.start,
        step=chosen.step,
        most=chosen.most,
        seconds=chosen.seconds,
        pieces=chosen.pieces,
        within_s=chosen.within,
        judge=judges[chosen.judge],  # type: ignore[arg-type]
        minutes=chosen.minutes,
        alone=not chosen.no_alone,
        profile=chosen.profile,
    )
    return commands_live.many(chosen.session, wanted, settings, as_object=chosen.json, save=chosen.save)


def _run_live_elsewhere(chosen: argparse.Namespace) -> int:
    from benchmarks import commands_remote, host
    from benchmarks.live import Transport

    if chosen.ramp or chosen.profile:
        raise PeerError(
            "--ramp and --profile are for a server of the benchmark's own.", mend="Leave --server out, or them."
        )
    kinds: list[Transport] = ["webrtc", "websocket"]
    if chosen.transport != "both":
        kinds = [chosen.transport]
    return commands_remote.live(
        chosen.session,
        host.of_people(chosen.server, chosen.token_file, chosen.authority),
        kinds * (chosen.sessions or 1),
        chosen.seconds,
        as_object=chosen.json,
        save=chosen.save,
    )


def _run_accuracy(chosen: argparse.Namespace, settings: Settings) -> int:
    from benchmarks import commands

    return commands.accuracy(
        chosen.manifest,
        chosen.speakers,
        settings,
        as_object=chosen.json,
        offline=not chosen.no_offline,
        save=chosen.save,
    )


def _run_draft(chosen: argparse.Namespace, _: Settings) -> int:
    from benchmarks import draft_figures

    return draft_figures.main(
        [*([str(chosen.folder)] if chosen.folder else []), *(["--json"] if chosen.json else [])]
    )


def _run_load(chosen: argparse.Namespace, settings: Settings) -> int:
    from benchmarks import commands_load

    if chosen.list:
        return commands_load.listed()
    return commands_load.load(
        chosen.session,
        _names(chosen.only),
        chosen.seconds,
        chosen.storm,
        chosen.seed,
        as_object=chosen.json,
        save=chosen.save,
    )


def _run_capacity(chosen: argparse.Namespace, _: Settings) -> int:
    from benchmarks import commands_capacity

    return commands_capacity.run(
        chosen.ramp,
        chosen.sessions,
        chosen.places,
        chosen.losses,
        chosen.price,
        chosen.seed,
        as_object=chosen.json,
    )


def _run_kill(chosen: argparse.Namespace, _: Settings) -> int:
    from benchmarks import commands_durable
    from benchmarks.measure_kill import Plan

    plan = Plan(chosen.runs, chosen.sessions, chosen.seconds, chosen.pace, chosen.seed)
    return commands_durable.kill(plan, as_object=chosen.json, save=chosen.save)


def _run_soak(chosen: argparse.Namespace, _: Settings) -> int:
    from benchmarks import commands_durable
    from benchmarks.measure_soak import Plan

    plan = Plan(chosen.sessions, chosen.minutes, chosen.pace, chosen.connects, chosen.limit)
    return commands_durable.soak(plan, as_object=chosen.json, save=chosen.save)


def _run_compare(chosen: argparse.Namespace, settings: Settings) -> int:
    from benchmarks import commands_compare

    return commands_compare.compare(
        chosen.session,
        _names(chosen.only),
        chosen.seconds,
        chosen.runs,
        chosen.minutes,
        as_object=chosen.json,
        save=chosen.save,
    )


def _run_diff(chosen: argparse.Namespace, _: Settings) -> int:
    from benchmarks import commands

    return commands.diff(chosen.before, chosen.after, everything=chosen.all, as_object=chosen.json)


def _run_generate(chosen: argparse.Namespace, _: Settings) -> int:
    from benchmarks import commands_generate

    return commands_generate.run(chosen)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 500:
        raise argparse.ArgumentTypeError("a whole number between 1 and 500")
    return int(text)


def _many(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 20_000:
        raise argparse.ArgumentTypeError("a whole number between 1 and 20000")
    return int(text)


def _speakers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 8:
        raise argparse.ArgumentTypeError("a whole number between 1 and 8")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 36_000:
        raise argparse.ArgumentTypeError("a number above 0")
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a share between 0 and 1")
    return value
