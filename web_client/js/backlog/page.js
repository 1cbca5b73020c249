// The backlog on the page: bands, protected time, the list in order. All DOM writes of it start here.

import { Frame } from "../frame.js";
import { focusOn, h, newId, setChildren, setText } from "../view/dom.js";
import { notice } from "../view/notice.js";
import { CheckIn } from "./check_in.js";
import { ImportBox } from "./import_box.js";
import { PlanBox } from "./plan_box.js";
import { VisitRow } from "./visit_row.js";
import { W } from "./words.js";

export class BacklogPage {
  #actions;
  #problem = h("div", { class: "problem", role: "alert" });
  #say = h("p", { class: "hidden", role: "status" });
  #title = h("h1", { tabindex: "-1" }, W.title);
  #words = h("p", { class: "lead" }, W.loading);
  #progress = h("div", { class: "toward" });
  #today = h("div");
  #bands = h("ul", { class: "bands" });
  #good = h("ul", { class: "standard" });
  #list = h("ol", { class: "visits" });
  #empty = h("p", { class: "hint", hidden: true }, W.empty);
  #order = h("select", { class: "select", id: newId("order") });
  #evenings = h("p", { class: "hint" });
  #body = h("div", { class: "backlog", hidden: true });
  #plan;
  #rows = new Map();

  constructor(actions) {
    this.#actions = actions;
    this.#plan = new PlanBox(actions.plan);
    this.#order.append(...Object.entries(W.orders).map(([value, words]) => h("option", { value }, words)));
    this.#order.addEventListener("change", () => actions.plan({ order: this.#order.value }));
  }

  start(plan) {
    new Frame("/backlog", W.footer);
    this.#order.value = plan.order;
    this.#body.append(
      this.#today,
      part(W.bandsTitle, this.#bands),
      h("div", { class: "columns" },
        part(W.listTitle, h("p", { class: "field field--row" }, h("label", { for: this.#order.id }, W.order), this.#order),
          this.#empty, this.#list),
        h("div", { class: "side" },
          part(W.planTitle, h("p", { class: "hint" }, W.planLead), this.#plan.element),
          part(W.goodEnough, h("p", { class: "hint" }, W.goodEnoughLead), this.#good),
          part(W.afterHours, this.#evenings),
          new ImportBox(this.#actions.take).element,
          new CheckIn(this.#actions).element)));
    document.getElementById("main").append(this.#problem, h("header", { class: "head" }, this.#title, this.#words, this.#progress),
      this.#body, this.#say);
  }

  /** Says why something failed; null takes the message away. */
  problem(problem) {
    setChildren(this.#problem, problem ? [notice("bad", problem.message, problem.mend)] : []);
  }

  render(found, plan, zone) {
    this.#body.hidden = false;
    setText(this.#words, found.words.join(" "));
    this.#renderProgress(found);
    const same = found.same_day;
    setChildren(this.#today, same.visits ? [notice(same.kept ? "good" : "busy", same.words, "")] : []);
    setChildren(this.#bands, found.bands.map(band));
    setChildren(this.#good, found.good_enough.map((words) => h("li", {}, words)));
    this.#plan.render(found, plan, zone);
    this.#renderEvenings(found.after_hours);
    this.#renderList(found);
  }

  #renderProgress(found) {
    const all = found.signed + found.count;
    const words = W.progress(found.signed, all);
    const bar = h("progress", { max: Math.max(1, all), value: found.signed, "aria-label": words });
    setChildren(this.#progress, all ? [bar, h("p", { class: "hint", "aria-hidden": "true" }, words)] : []);
  }

  #renderEvenings(after) {
    const week = after.weeks.at(-1);
    const line = week?.notes ? W.afterHoursLine(week.after_hours, week.notes) : W.afterHoursNone;
    setText(this.#evenings, [line, W.trends[after.trend] ?? ""].filter(Boolean).join(" "));
  }

  /** A row stays the same element while its visit waits, so that a recap being written is never lost. */
  #renderList(found) {
    const rows = found.visits.map((visit) => {
      const row = this.#rows.get(visit.id) ?? new VisitRow({
        ...this.#actions, sign: (one) => this.#done(this.#actions.sign(one)), signed: () => this.#done(this.#actions.signed()),
      });
      this.#rows.set(visit.id, row);
      row.render(visit);
      return row.element;
    });
    const waiting = new Set(found.visits.map((visit) => visit.id));
    for (const id of this.#rows.keys()) if (!waiting.has(id)) this.#rows.delete(id);
    this.#empty.hidden = rows.length > 0;
    setChildren(this.#list, rows);
  }

  /** A note is signed: says what is left, and goes on to the next. */
  async #done(work) {
    const found = await work;
    if (!found) return;
    setText(this.#say, W.signedSay(found.count));
    const next = this.#rows.get(found.visits[0]?.id);
    if (next) next.focus();
    else focusOn(this.#title);
  }
}

/** A part of the page under its heading. */
export function part(title, ...children) {
  const id = newId("part");
  return h("section", { class: "part", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

function band(one) {
  return h("li", { class: "band", "data-band": one.key, "data-empty": String(one.count === 0) },
    h("p", { class: "band__name" }, one.name),
    h("p", { class: "band__count" }, W.bandCount(one.count)),
    one.count ? h("p", { class: "band__title" }, one.title) : null,
    one.count ? h("p", { class: "hint" }, one.advice) : null);
}

