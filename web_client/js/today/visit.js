// One appointment of the list: when, who, how, how far its note is, and the one thing to do next.

import { noteAddress } from "../addresses.js";
import { P } from "../strings_pages.js";
import { button, h } from "../view/dom.js";

const T = P.today;
const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const TIME = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });

export function visitRow(visit, { name, remove }) {
  const time = visit.start ? TIME.format(new Date(visit.start)) : "";
  const isToday = visit.date === new Date().toLocaleDateString("sv-SE");
  const toCome = visit.start && new Date(visit.start) > new Date();
  const what = [T.modalities[visit.modality], visit.kind === "progress" ? "" : T.kinds[visit.kind], visit.minutes ? `${visit.minutes} min` : "", visit.cpt];
  const state = toCome && visit.note === "unsigned" ? T.toCome : T.states[visit.note];
  return h("li", { class: "visit", "data-note": visit.note },
    h("div", { class: "visit__head" },
      h("p", { class: "visit__time" }, isToday ? time : [DAY.format(new Date(`${visit.date}T00:00:00Z`)), time].filter(Boolean).join(", ")),
      h("div", { class: "visit__who" }, h("p", { class: "visit__name", dir: "auto" }, name),
        h("p", { class: "hint" }, what.filter(Boolean).join(" · ")),
        h("p", { class: "mark", "data-state": visit.note }, state)),
      h("div", { class: "visit__do" }, ...actions(visit, { name, time, isToday, remove }))));
}

function actions(visit, { name, time, isToday, remove }) {
  const note = noteAddress(visit);
  if (note) {
    return [h("a", { class: "button", href: note, "aria-label": T.openOf(name) }, T.open)];
  }
  const drop = button(T.remove, () => remove(visit), { kind: "small", "aria-label": T.removeOf(name) });
  if (visit.note === "signed") return [drop];
  const start = h("a", { class: "button button--primary", href: `/#visit=${encodeURIComponent(visit.id)}`, "aria-label": T.startOf(name, time) }, T.start);
  const over = visit.start && new Date(visit.start).getTime() + (visit.minutes ?? 60) * 60_000 < Date.now();
  const recap = over ? h("a", { class: "way", href: "/backlog" }, T.recap) : null;
  return isToday ? [start, recap, drop] : [drop];
}
