"""What things are called in Redis: the keys under which a store's server has them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """Of one store; several with other prefixes may share a server."""

    prefix: str

    @property
    def sessions(self) -> str:
        """The list of sessions, oldest first."""
        return f"{self.prefix}:sessions"

    @property
    def data_keys(self) -> str:
        """The wrapped data keys, by scope."""
        return f"{self.prefix}:keys"

    @property
    def rewritten(self) -> str:
        """How often sessions were rewritten."""
        return f"{self.prefix}:rewritten"

    @property
    def leases(self) -> str:
        """Who has which session."""
        return f"{self.prefix}:leases"

    @property
    def schema(self) -> str:
        """The form of all this."""
        return f"{self.prefix}:schema"

    @property
    def sealing(self) -> str:
        """There while a node encrypts the log."""
        return f"{self.prefix}:sealing"

    def kind(self, kind: str) -> str:
        """The hash of a kind's records."""
        return f"{self.prefix}:records:{kind}"

    def session(self, session: str, part: str) -> str:
        """A part of a session: its head, events, audio, or purged."""
        return f"{self.prefix}:session:{session}:{part}"

    def parts(self, session: str) -> tuple[str, str, str, str]:
        """What the scripts want first: counter, events, audio, and the mark of one that was purged."""
        head, events, audio, purged = (self.session(session, part) for part in ("head", "events", "audio", "purged"))
        return head, events, audio, purged
