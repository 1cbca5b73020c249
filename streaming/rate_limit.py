"""How often something may be done, by key: a bucket each that fills evenly. Pure; times are given."""

from collections import OrderedDict

_KEYS_AT_MOST = 20_000
"""Buckets that are remembered; the ones that were asked for longest ago are forgotten first."""


class Rate:
    """`amount` at once, and as many again in `per_s` seconds."""

    def __init__(self, amount: int, per_s: float) -> None:
        self._amount = amount
        self._each_s = per_s / amount
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, now_s: float) -> float:
        """Take one: 0 where there was one, else the seconds until there will be. `now_s` never goes back."""
        full_at = max(self._full_at.get(key, now_s), now_s) + self._each_s
        wait_s = full_at - now_s - self._amount * self._each_s
        if wait_s > 1e-9:
            return wait_s
        self._keep(key, full_at)
        return 0.0

    def give_back(self, key: str) -> None:
        """Put back one that was taken for nothing."""
        if key in self._full_at:
            self._keep(key, self._full_at[key] - self._each_s)

    def _keep(self, key: str, full_at: float) -> None:
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        while len(self._full_at) > _KEYS_AT_MOST:
            self._full_at.popitem(last=False)
