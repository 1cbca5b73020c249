// Today: who comes, what is to start, what is not signed yet.

import { noteAddress } from "../addresses.js";
import { ImportBox } from "../backlog/import_box.js";
import { Frame, part } from "../frame.js";
import { instant, isoDay, practice, seat } from "../practice.js";
import { Problems } from "../problems.js";
import { F } from "../strings_frame.js";
import { P } from "../strings_pages.js";
import { focusOn, h, newId, setChildren, setText } from "../view/dom.js";
import { Field, form } from "../view/fields.js";
import { notice } from "../view/notice.js";
import { visitRow } from "./visit.js";

const T = P.today;
const AHEAD_DAYS = 14;
const WAITING_SHOWN = 5;
const REFRESH_MS = 60_000;
const LONG = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "long", day: "numeric", month: "long" });

export class TodayPage {
  #problems = new Problems();
  #title = h("h1", { tabindex: "-1" });
  #lead = h("p", { class: "lead" }, P.loading);
  #sameDay = h("div");
  #list = h("ol", { class: "visits" });
  #none = h("p", { class: "hint", hidden: true }, T.none);
  #waiting = h("ul", { class: "plain" });
  #cosign = h("div", { hidden: true });
  #next = h("div");
  #names = h("datalist", { id: newId("names") });
  #charts = [];
  #seat = null;
  #field = {
    client: new Field(T.client, { hint: T.clientHint, list: this.#names.id, maxlength: 200 }),
    date: new Field(T.date, { type: "date", value: isoDay() }),
    time: new Field(T.time, { type: "time" }),
    minutes: new Field(T.minutes, { type: "number", min: 1, max: 1440, value: "50" }),
    modality: new Field(T.modality, { options: [["", T.modalityNone], ...Object.entries(T.modalities)] }),
    kind: new Field(T.kind, { options: Object.entries(T.kinds) }),
  };

  start() {
    new Frame("/today", F.onServer);
    setText(this.#title, LONG.format(new Date()));
    const take = (file, dates) => this.#problems.guard(async () => {
      const taken = await practice.take(file, { ahead: AHEAD_DAYS, ...(dates ? { dates } : {}) });
      await this.#load();
      return taken;
    });
    document.getElementById("main").append(this.#problems.element,
      h("header", { class: "head" }, this.#title, this.#lead, this.#sameDay),
      h("div", { class: "columns" },
        h("div", { class: "side" },
          part(T.list, this.#none, this.#list, h("p", {}, h("a", { class: "button", href: "/" }, T.without))), this.#next),
        h("div", { class: "side" }, this.#cosign, part(T.signTitle, this.#waiting), part(T.addTitle, this.#addForm()),
          new ImportBox(take, T.importTitle, T.importLead).element)), this.#problems.said);
    this.#refresh();
    setInterval(() => { if (document.visibilityState === "visible") this.#refresh(); }, REFRESH_MS);
  }

  #refresh() {
    return this.#problems.guard(() => this.#load());
  }

  async #load() {
    const [visits, backlog, charts] = await Promise.all([
      practice.visits({ since: isoDay(), until: isoDay(AHEAD_DAYS) }), practice.backlog(), practice.charts()]);
    this.#charts = charts;
    const today = visits.filter((visit) => visit.date === isoDay());
    setText(this.#title, LONG.format(new Date()));
    setText(this.#lead, T.lead(today.length, backlog.count));
    const same = backlog.same_day;
    setChildren(this.#sameDay, same.visits ? [notice(same.kept ? "good" : "busy", same.words, "")] : []);
    this.#none.hidden = today.length > 0;
    const rows = (list) => list.map((visit) => visitRow(visit, { remove: (one) => this.#remove(one), name: this.#nameOf(visit) }));
    setChildren(this.#list, rows(today));
    await this.#renderCosign(backlog);
    this.#renderWaiting(backlog);
    const coming = visits.filter((visit) => visit.date > isoDay());
    setChildren(this.#next, coming.length ? [part(T.nextTitle, h("ol", { class: "visits" }, rows(coming)))] : []);
    setChildren(this.#names, charts.map((one) => h("option", { value: one.client })));
  }

  #nameOf(visit) {
    return this.#charts.find((one) => one.id === visit.client_id)?.client || visit.label || T.noLabel;
  }

  #row(visit) {
    return h("li", {},
      h("a", { class: "link", href: noteAddress(visit) ?? "/backlog" },
        h("span", { dir: "auto" }, this.#nameOf(visit)), h("span", { class: "hint" }, `${T.ages(visit.age_days)}, ${T.states[visit.note]}`)));
  }

  /** What waits for a supervisor's signature comes first where one is here. */
  async #renderCosign(backlog) {
    const awaiting = backlog.visits.filter((visit) => visit.note === "awaiting");
    this.#seat ??= awaiting.length ? await seat() : null;
    const mine = this.#seat?.role === "supervisor" ? awaiting : [];
    this.#cosign.hidden = mine.length === 0;
    setChildren(this.#cosign, mine.length ? [part(T.cosignTitle, h("ul", { class: "plain" }, mine.map((visit) => this.#row(visit))))] : []);
  }

  #renderWaiting(backlog) {
    const unsigned = backlog.visits.filter((visit) => this.#cosign.hidden || visit.note !== "awaiting");
    const rows = unsigned.slice(0, WAITING_SHOWN).map((visit) => this.#row(visit));
    if (backlog.count > WAITING_SHOWN) rows.push(h("li", {}, h("a", { class: "link", href: "/backlog" }, T.signMore(backlog.count))));
    setChildren(this.#waiting, rows.length ? rows : [h("li", { class: "hint" }, T.signNone)]);
  }

  #addForm() {
    const { client, date, time, minutes, modality, kind } = this.#field;
    return form(T.add, () => this.#add(), this.#names, client.element,
      h("div", { class: "pair" }, date.element, time.element), h("div", { class: "pair" }, minutes.element, kind.element), modality.element);
  }

  async #add() {
    const { client, date, time, minutes, modality, kind } = this.#field;
    if (!client.needs(T.missing.client) || !time.needs(T.missing.time)) return;
    const length = Number.parseInt(minutes.value, 10) || 50;
    const start = instant(date.value || isoDay(), time.value);
    const chart = this.#charts.filter((one) => one.client === client.value);
    const name = client.value;
    const added = await this.#problems.guard(async () => {
      await practice.addVisit({
        date: date.value || isoDay(), label: name, start, minutes: length, kind: kind.value, modality: modality.value,
        // Two clients of one name are not told apart by it: the chart is then chosen with the session.
        ...(chart.length === 1 ? { client_id: chart[0].id } : {}),
      });
      await this.#load();
      return true;
    });
    if (!added) return;
    client.value = time.value = "";
    client.input.focus();
    this.#problems.say(T.added(name));
  }

  async #remove(visit) {
    const gone = await this.#problems.guard(async () => {
      await practice.removeVisit(visit.id);
      await this.#load();
      return true;
    });
    if (!gone) return;
    focusOn(this.#title);
    this.#problems.say(T.removed);
  }
}
