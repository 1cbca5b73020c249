// The audit page: whether the log is whole, its entries by filters, and the receipts of deletions.

import { sessionAddress } from "../addresses.js";
import { request } from "../api.js";
import { Frame, part } from "../frame.js";
import { Problems } from "../problems.js";
import { A } from "../strings_audit.js";
import { F } from "../strings_frame.js";
import { button, h, setChildren, setHidden, setText } from "../view/dom.js";
import { Field, form } from "../view/fields.js";
import { notice } from "../view/notice.js";

const PAGE = 50;
const AT = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
const got = async (url) => (await request(url)).json();
const cell = (label, ...inner) => h("td", { role: "cell", "data-label": label }, h("span", {}, ...inner));

/** A table that a narrow page shows as blocks: with its roles, which a stylesheet would else take away. */
function table(label, columns, body) {
  const heads = columns.map((words) => h("th", { scope: "col", role: "columnheader" }, words));
  return h("table", { class: "audit", role: "table", "aria-label": label },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)), body);
}

export class AuditPage {
  #problems = new Problems();
  #lead = h("p", { class: "lead" }, A.lead);
  #state = h("div", { role: "status" });
  #rows = h("tbody", { role: "rowgroup" });
  #count = h("p", { class: "hint", role: "status" });
  #older = button(A.older, () => this.#problems.guard(() => this.#more()), { hidden: true });
  #who = new Field(A.who, { options: [["", A.everybody]] });
  #what = new Field(A.what, { options: [["", A.everything], ...Object.entries(A.groups)] });
  #since = new Field(A.since, { type: "date" });
  #until = new Field(A.until, { type: "date" });
  #receipts = h("div", { class: "side" });
  #names = {};
  #gone = new Set(); // sessions that are deleted: there is no way to them any more
  #next = null;

  start() {
    new Frame("/audit", F.onServer);
    const filters = form(A.show, () => this.#problems.guard(() => this.#load()),
      h("div", { class: "audit__filters" }, [this.#who, this.#what, this.#since, this.#until].map((field) => field.element)));
    filters.setAttribute("aria-label", A.filters);
    document.getElementById("main").append(this.#problems.element,
      h("header", { class: "head" }, h("h1", { tabindex: "-1" }, A.title), this.#lead),
      h("div", { class: "side" }, this.#state,
        part(A.list, filters, this.#count, table(A.list, Object.values(A.columns), this.#rows), h("p", {}, this.#older)),
        part(A.deletions, h("p", { class: "hint" }, A.deletionsLead), this.#receipts)), this.#problems.said);
    this.#problems.guard(() => this.#begin());
  }

  async #begin() {
    const { receipts } = await got("/api/deletions");
    this.#gone = new Set(receipts.filter((one) => one.scope === "session").map((one) => one.session));
    const all = await this.#load();
    setText(this.#lead, all ? A.lead : A.leadOwn);
    setHidden(this.#who.element, !all);
    const options = Object.entries(this.#names).map(([login, name]) => h("option", { value: login }, name));
    setChildren(this.#who.input, [h("option", { value: "" }, A.everybody), ...options]);
    if (all) this.#showChain(await got("/api/audit/chain"));
    this.#showReceipts(receipts);
  }

  /** The newest entries of the filters; whether all of the practice's are to be seen. */
  async #load() {
    setChildren(this.#rows, []);
    this.#next = null;
    return this.#more();
  }

  async #more() {
    setText(this.#count, A.looking);
    const asked = { limit: PAGE, before: this.#next, actor: this.#who.value, action: this.#what.value, since: instant(this.#since.value, 0), until: instant(this.#until.value, 1) };
    const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value));
    const page = await got(`/api/audit?${query}`);
    this.#names = page.names;
    this.#next = page.next;
    this.#rows.append(...page.entries.map((entry) => this.#row(entry)));
    setHidden(this.#older, page.next === null);
    const count = this.#rows.childElementCount;
    setText(this.#count, count || page.next !== null ? A.shown(count) : A.none);
    return page.all;
  }

  #row(entry) {
    const { columns } = A;
    const outcome = A.outcomes[entry.outcome] ?? entry.outcome;
    return h("tr", { role: "row" },
      cell(columns.at, h("time", { datetime: entry.at }, AT.format(new Date(entry.at)))),
      cell(columns.who, h("span", { dir: "auto" }, this.#actor(entry)), entry.source ? h("span", { class: "hint" }, ` ${A.from(entry.source)}`) : null),
      cell(columns.action, A.actions[entry.action] ?? entry.action),
      cell(columns.subject, subject(entry, this.#gone)),
      cell(columns.outcome, h("span", { class: "mark", "data-outcome": entry.outcome }, outcome)));
  }

  #actor(entry) {
    if (entry.way === "command") return A.command(entry.actor);
    if (entry.way === "server") return A.server;
    if (entry.way === "media") return A.media;
    if (entry.way === "single") return A.single;
    return this.#names[entry.actor] ?? (entry.actor || A.nobody);
  }

  #showChain({ intact, entries, hash, broken }) {
    setChildren(this.#state, [intact
      ? notice("good", A.whole(entries), A.wholeMend, h("p", {}, h("code", { class: "audit__hash" }, hash)))
      : notice("bad", A.broken(broken.says), A.brokenMend)]);
  }

  #showReceipts(receipts) {
    if (!receipts.length) {
      setChildren(this.#receipts, [h("p", {}, A.deletionsNone)]);
      return;
    }
    const { columns, removed } = A;
    const rows = receipts.map((one) => h("tr", { role: "row" },
      cell(columns.at, h("time", { datetime: one.at }, AT.format(new Date(one.at)))),
      cell(columns.who, one.by === "server" ? A.server : this.#names[one.by] ?? (one.by || A.single)),
      cell(columns.subject, h("span", {}, A.kinds.session, " ", h("code", { title: one.session }, one.session.slice(0, 8)))),
      cell(removed.scope, one.done ? A.scopes[one.scope] : A.notDone),
      cell(removed.why, A.reasons[one.why] ?? one.why),
      cell(removed.counts, Object.entries(one.removed).map(([kind, count]) => `${count} ${kind.replaceAll("_", " ")}`).join(", ") || "–")));
    const words = [columns.at, columns.who, columns.subject, removed.scope, removed.why, removed.counts];
    setChildren(this.#receipts, [table(A.deletions, words, h("tbody", { role: "rowgroup" }, rows))]);
  }
}

/** What an entry is about: the beginning of its id, and the way to it where there is one. */
function subject({ kind, subject: id }, gone) {
  if (!id) return h("span", { class: "hint" }, A.kinds[kind] ?? "–");
  const words = A.kinds[kind] ?? kind;
  const short = h("code", { title: id }, kind === "account" ? id : id.slice(0, 8));
  if (kind !== "session" || gone.has(id)) return h("span", {}, words, " ", short);
  return h("a", { href: sessionAddress(id), "aria-label": A.open(words, id.slice(0, 8)) }, words, " ", short);
}

/** The beginning of a day of this device's calendar, `days` after it, in UTC as entries are dated. */
function instant(day, days) {
  if (!day) return "";
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + days).toISOString();
}
