// Clients: the list, found by name, and one chart beside it.

import { noteAddress } from "../addresses.js";
import { Frame } from "../frame.js";
import { isoDay, practice } from "../practice.js";
import { Problems } from "../problems.js";
import { F } from "../strings_frame.js";
import { P } from "../strings_pages.js";
import { L } from "../strings_plan.js";
import { button, focusOn, h, setAttribute, setChildren, setHidden, setText } from "../view/dom.js";
import { Field } from "../view/fields.js";
import { ChartForm } from "./chart_form.js";

const C = P.clients;
const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeZone: "UTC" });

export class ClientsPage {
  #problems = new Problems();
  #title = h("h1", { tabindex: "-1" }, C.title);
  #search = new Field(C.search, { type: "search" });
  #list = h("ul", { class: "clients" });
  #none = h("p", { class: "hint" });
  #charts = [];
  #chosen = null;
  #plan = null; // the plan's view comes with the first plan that is looked at
  #planBox = h("div", { hidden: true });
  #ways = { client: h("a", { class: "way" }, L.chart), plan: h("a", { class: "way" }, L.title) };
  #views = h("nav", { class: "ways chart__ways", "aria-label": L.views, hidden: true }, Object.values(this.#ways));
  #form = new ChartForm({
    save: (id, chart, version) => this.#save(id, chart, version),
    reload: (id) => this.#problems.guard(() => practice.chart(id)),
    remove: (id, version) => this.#remove(id, version),
  });

  start() {
    new Frame("/clients", F.onServer);
    this.#search.input.addEventListener("input", () => this.#draw());
    addEventListener("beforeunload", (event) => { if (this.#form.isUnsaved) event.preventDefault(); });
    document.getElementById("main").append(this.#problems.element,
      h("header", { class: "head" }, this.#title, h("p", { class: "lead" }, C.lead)),
      h("div", { class: "split" },
        h("section", { class: "split__list", "aria-label": C.title }, this.#search.element,
          h("p", {}, button(C.add, () => this.#open(null), { icon: "plus" })), this.#none, this.#list),
        h("div", { class: "chart-box" }, this.#views, this.#form.element, this.#planBox)), this.#problems.said);
    addEventListener("hashchange", () => this.#follow());
    this.#problems.guard(() => this.#load());
    this.#follow();
  }

  /** Shows what the address names: #client=ID a chart, #plan=ID the treatment plan in it. */
  #follow() {
    const [, view, id] = /^#(client|plan)=(.+)$/.exec(location.hash) ?? [];
    if (view) this.#open(decodeURIComponent(id), view);
  }

  async #load() {
    this.#charts = await practice.charts();
    this.#draw();
  }

  #draw() {
    const wanted = this.#search.value.toLocaleLowerCase();
    const found = this.#charts.filter((one) => one.client.toLocaleLowerCase().includes(wanted));
    setText(this.#none, found.length ? "" : this.#charts.length ? C.noMatch : C.none);
    setHidden(this.#none, found.length > 0);
    setChildren(this.#list, found.map((one) => {
      const row = h("button", { type: "button", class: "client", on: { click: () => this.#open(one.id) } },
        h("span", { class: "client__name", dir: "auto" }, one.client || one.id),
        h("span", { class: "hint" }, [one.date_of_birth, one.diagnoses[0]?.code].filter(Boolean).join(" · ")));
      setAttribute(row, "aria-current", one.id === this.#chosen ? "true" : null);
      return h("li", {}, row);
    }));
  }

  async #open(id, view = "client") {
    const same = id !== null && id === this.#chosen;
    if (view === "client" && same && this.#form.isUnsaved) return this.#turn(view); // what was typed stays
    const chart = id ? await this.#problems.guard(() => practice.chart(id)) : null;
    if (id && !chart) return;
    this.#chosen = id;
    this.#draw();
    this.#turn(view);
    if (view === "plan") {
      if (!same) this.#form.show(chart, { focus: false });
      this.#form.hide();
      return this.#showPlan(chart);
    }
    this.#form.show(chart);
    this.#views.scrollIntoView({ block: matchMedia("(min-width: 64rem)").matches ? "nearest" : "start" }); // there the list is above
    if (id) this.#showSessions(id);
  }

  /** Turns to the chart or to the plan in it; the address says which, so that it can be opened again. */
  #turn(view) {
    const id = this.#chosen;
    setHidden(this.#views, !id);
    setHidden(this.#planBox, view !== "plan");
    setHidden(this.#form.element, view === "plan");
    if (id) for (const [name, way] of Object.entries(this.#ways)) {
      way.href = `#${name}=${encodeURIComponent(id)}`;
      setAttribute(way, "aria-current", name === view ? "page" : null);
    }
    history.replaceState(null, "", id ? this.#ways[view].href : location.pathname);
  }

  async #showPlan(chart) {
    const thread = (session) => practice.thread(session).catch(() => null); // said on the page: its progress is missing
    const { PlanView } = await import("./plan_view.js");
    this.#plan ??= new PlanView(thread, () => isoDay());
    setChildren(this.#planBox, [this.#plan.element]);
    const visits = await this.#problems.guard(() => practice.visits({ client: chart.id }));
    if (visits && this.#chosen === chart.id) await this.#plan.show(chart, visits);
  }

  async #showSessions(id) {
    const visits = await this.#problems.guard(() => practice.visits({ client: id }));
    if (!visits || this.#chosen !== id) return;
    this.#form.showSessions(visits.reverse().map((visit) => h("li", {}, h("a", {
      class: "link", href: noteAddress(visit) ?? "/backlog",
    }, h("span", {}, DAY.format(new Date(`${visit.date}T00:00:00Z`))), h("span", { class: "hint" }, [visit.cpt, P.today.states[visit.note]].filter(Boolean).join(", "))))));
  }

  /** The chart as it is kept now, "conflict", or null where it failed. */
  async #save(id, chart, version) {
    const kept = await this.#problems.guard(() => (id ? practice.putChart(id, chart, version) : practice.addChart(chart)).catch((error) => {
      if (error.code === "conflict") return "conflict";
      throw error;
    }));
    if (!kept || kept === "conflict") return kept;
    this.#chosen = kept.id;
    this.#turn("client");
    await this.#problems.guard(() => this.#load());
    this.#problems.say(C.saved);
    this.#showSessions(kept.id);
    return kept;
  }

  async #remove(id, version) {
    const gone = await this.#problems.guard(async () => {
      await practice.removeChart(id, version);
      await this.#load();
      return true;
    });
    if (!gone) return false;
    this.#chosen = null;
    this.#turn("client");
    this.#draw();
    focusOn(this.#title);
    this.#problems.say(C.deleted);
    return true;
  }
}
