"""Sound on the device's disk, by the page's own modules and the browser's IndexedDB: none goes without a word."""

from collections.abc import Iterator
from typing import Any

import pytest
from browser_pages import page_with
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)

_TOOLS = """async () => {
  const names = ["outbox", "kept_audio", "state", "selectors"];
  const modules = await Promise.all(names.map((name) => import(`/static/js/${name}.js`)));
  Object.assign(window, ...modules);
  window.unhandled = [];
  window.addEventListener("unhandledrejection", () => window.unhandled.push(1));
  window.KEY = btoa(String.fromCharCode(...new Uint8Array(32).fill(7)));
  window.sound = (value) => new Int16Array(1600).fill(value);
  window.opened = async (session, key) => {
    const outbox = new Outbox(session, new KeptAudio());
    await outbox.recall();
    if (key) outbox.unlock(key, [session, "mic"]);
    return outbox;
  };
  window.kept = async (session, count) => {
    const outbox = await opened(session, KEY);
    for (let n = 0; n < count; n++) outbox.add(n * 1600, sound(n + 1));
    await outbox.save();
  };
  window.values = async (outbox) => (await outbox.from(0, 16)).map(({ tick, pcm }) => [tick / 1600, pcm[0]]);
  window.failing = async (owner, name, times, work) => {
    const real = owner[name];
    let left = times;
    owner[name] = function (...given) {
      if (left-- > 0) throw new DOMException("a failure", "UnknownError");
      return real.apply(this, given);
    };
    try { return await work(); } finally { owner[name] = real; }
  };
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with page_with(browser, _TOOLS) as opened:
        yield opened
        assert opened.evaluate("unhandled") == []


def test_what_an_earlier_page_kept_waits_for_the_key(page: Page) -> None:
    found = page.evaluate("""async () => {
      await kept("late", 3);
      const outbox = await opened("late", null);
      outbox.add(3 * 1600, sound(4));
      const seen = [await values(outbox)];
      for (const key of [undefined, "no key", KEY]) {
        outbox.unlock(key, ["late", "mic"]);
        seen.push(await values(outbox));
      }
      return [seen, outbox.lostSeconds];
    }""")
    assert found == [[[], [], [], [[0, 1], [1, 2], [2, 3], [3, 4]]], 0]


def test_a_disk_that_does_not_answer_is_asked_again_and_given_up_in_words(page: Page) -> None:
    found: list[Any] = page.evaluate("""async () => {
      await kept("deaf", 2);
      const outbox = await opened("deaf", KEY);
      const twice = async () => [await values(outbox), await values(outbox)];
      const once = await failing(IDBObjectStore.prototype, "get", 1, twice);
      outbox.add(2 * 1600, sound(3));
      const never = await failing(IDBObjectStore.prototype, "get", Infinity, async () => {
        let asked = 0;
        while (asked++ < 100) if ((await values(outbox)).length) break;
        return [asked, await values(outbox)];
      });
      return [once, never, outbox.lostSeconds];
    }""")
    assert found == [[[], [[0, 1], [1, 2]]], [20, [[2, 3]]], 0.2]
    said = page.evaluate("""() => {
      const told = { type: "page/kept", seconds: 0, lost: 0.2, disk: true, keyed: true };
      return health(reduce(INITIAL, told)).text;
    }""")
    assert said.startswith("0.2 s of sound is lost")


def test_what_lies_on_the_disk_unsealed_or_under_another_key_is_not_sent(page: Page) -> None:
    found = page.evaluate("""async () => {
      await kept("planted", 3);
      await new KeptAudio().put("planted", [{ tick: 1600, length: 1600, sealed: sound(9) }]);
      const outbox = await opened("planted", KEY);
      const sent = await values(outbox);
      const other = await opened("planted", btoa(KEY.slice(0, 32)));
      return [sent, outbox.lostSeconds, await values(other), other.lostSeconds];
    }""")
    assert found == [[[0, 1], [2, 3]], 0.1, [], pytest.approx(0.3)]


def test_a_block_that_could_not_be_sealed_or_written_is_tried_again(page: Page) -> None:
    found = page.evaluate("""async () => {
      await failing(crypto.subtle, "encrypt", 1, () => kept("unsealed", 2));
      await failing(IDBObjectStore.prototype, "put", 1, async () => {
        await kept("unwritten", 2);
        await new Promise((resolve) => setTimeout(resolve, 400));
      });
      return [await values(await opened("unsealed", KEY)), await values(await opened("unwritten", KEY))];
    }""")
    assert found == [[[0, 1], [1, 2]], [[0, 1], [1, 2]]]


def test_a_full_disk_is_not_offered_everything_again_and_again(page: Page) -> None:
    """What it is offered is held sealed beside what is held to be sent."""
    offered = page.evaluate("""async () => {
      const counts = [];
      const disk = { put: async (_, blocks) => !counts.push(blocks.length), drop: async () => {} };
      const outbox = new Outbox("full", disk);
      outbox.unlock(KEY, ["full", "mic"]);
      for (let n = 0; n < 300; n++) outbox.add(n * 1600, sound(1));
      await outbox.save();
      await outbox.save();
      await outbox.discard();
      return [counts.at(-1), outbox.lostSeconds];
    }""")
    assert offered == [100, 0]
