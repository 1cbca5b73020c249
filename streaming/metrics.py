"""What the operators see, for Prometheus, read from the sessions at each scrape: numbers, never a name or a word."""

import shutil
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streaming.serving import Server
from streaming.types import seconds

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """A server's metrics; each has a registry of its own, so that two servers in a process do not mix."""

    def __init__(self, server: Server) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(_Sessions(server))

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)


class _Sessions(Collector):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._began = time.time()

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("sameday_started_seconds", "When the server started, Unix time.", self._began)
        if not self._server.started:
            return
        yield from self._live()
        yield from self._room()
        yield from self._total()
        yield from self._recognition()
        yield from self._nodes()
        pending = self._server.audit.pending
        yield GaugeMetricFamily("sameday_audit_pending", "Entries of the audit log that wait to be written.", pending)

    def _nodes(self) -> Iterator[Metric]:
        standing, tally = self._server.standing, self._server.sessions.tally
        if standing is None:
            return
        yield GaugeMetricFamily("sameday_nodes", "Nodes that share the log and live.", standing.living)
        yield GaugeMetricFamily("sameday_sessions_waiting", "Sessions no node has room for.", standing.waiting)
        yield CounterMetricFamily("sameday_sessions_handed_over", "Sessions given to others.", tally.handed_over)
        yield CounterMetricFamily("sameday_sessions_fenced", "Sessions lost to others.", tally.fenced)

    def _live(self) -> Iterator[Metric]:
        live = self._server.house.all_live
        states = GaugeMetricFamily("sameday_sessions", "Sessions of this server by state.", labels=["state"])
        for state in ("live", "ending"):
            states.add_metric([state], sum(session.progress == state for session in live))
        yield states
        most = self._server.settings.max_sessions
        yield GaugeMetricFamily("sameday_sessions_most", "Sessions that are taken at once.", most)
        load = self._server.house.admission.load
        yield GaugeMetricFamily("sameday_load", "Share of the scarcest engine's time that sessions take.", load)
        lags = [seconds(track.lag_ticks) for session in live for track in session.tracks]
        yield GaugeMetricFamily("sameday_lag_seconds", "Greatest lag of a track.", max(lags, default=0.0))
        yield GaugeMetricFamily("sameday_backlog_seconds", "Audio that waits, over all tracks.", sum(lags))

    def _room(self) -> Iterator[Metric]:
        settings = self._server.settings
        yield GaugeMetricFamily(
            "sameday_backlog_most_seconds",
            "Audio that may wait before no new session is taken.",
            settings.max_backlog_s,
        )
        waiting = sum(session.log.waits_for_store for session in self._server.sessions.all_live)
        yield GaugeMetricFamily(
            "sameday_sessions_waiting_for_store", "Sessions whose log cannot be written.", waiting
        )
        try:
            disk = shutil.disk_usage(settings.data_dir)
        except OSError:
            return  # nothing lies there where the log is on Redis
        yield GaugeMetricFamily("sameday_disk_free_bytes", "Room left where the data folder lies.", disk.free)
        yield GaugeMetricFamily("sameday_disk_size_bytes", "Size of the disk of the data folder.", disk.total)

    def _total(self) -> Iterator[Metric]:
        tally, tracks = self._server.house.tally, [t for s in self._server.house.all_live for t in s.tracks]
        yield CounterMetricFamily("sameday_sessions_started", "Sessions begun here.", tally.started)
        yield CounterMetricFamily("sameday_sessions_taken_up", "Sessions that another run left.", tally.taken_up)
        ended = CounterMetricFamily("sameday_sessions_ended", "Sessions over, by reason.", labels=["reason"])
        for reason in ("requested", "idle", "failed", "left"):
            ended.add_metric([reason], tally.ended[reason])
        yield ended
        received = seconds(tally.received + sum(track.received for track in tracks))
        yield CounterMetricFamily("sameday_audio_received_seconds", "Audio received.", received)
        heard = seconds(tally.transcribed + sum(track.totals().transcribed_ticks for track in tracks))
        yield CounterMetricFamily("sameday_audio_transcribed_seconds", "Audio transcribed.", heard)
        gaps = CounterMetricFamily("sameday_audio_gap_seconds", "Audio in gaps of ended sessions.", labels=["cause"])
        for cause, ticks in sorted(tally.gaps.items()):
            gaps.add_metric([cause], seconds(ticks))
        yield gaps

    def _recognition(self) -> Iterator[Metric]:
        scheduler = self._server.house.scheduler
        windows = CounterMetricFamily("sameday_windows", "Windows recognized, by kind.", labels=["kind"])
        waiting = GaugeMetricFamily("sameday_windows_waiting", "Windows that wait, by kind.", labels=["kind"])
        counts = (scheduler.counts.final, scheduler.counts.tentative)
        for kind, count, queued in zip(("final", "tentative"), counts, scheduler.waiting, strict=True):
            windows.add_metric([kind], count)
            waiting.add_metric([kind], queued)
        yield windows
        yield waiting
        yield CounterMetricFamily("sameday_batches", "Batches of windows recognized.", scheduler.counts.batches)
        yield CounterMetricFamily("sameday_windows_failed", "Windows not recognized.", scheduler.counts.failed)
