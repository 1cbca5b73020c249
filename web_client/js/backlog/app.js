// The backlog page: what happens when. The server decides all that is shown; the page keeps the plan alone.

import { request, toProblem } from "../api.js";
import { BacklogPage } from "./page.js";
import { keepPlan, query, readPlan, zone } from "./plan.js";
import { W } from "./words.js";

export class BacklogApp {
  #plan = readPlan();
  #page = new BacklogPage({
    plan: (change) => this.#setPlan(change),
    recap: (visit, text, reason) => this.#guarded(() => this.#recap(visit, text, reason)),
    answer: (id, answers) => this.#guarded(() => json(`/api/recaps/${encodeURIComponent(id)}/answers`, { answers })),
    sign: (visit) => this.#guarded(() => this.#sign(visit)),
    signed: () => this.#load(),
    take: (file, dates) => this.#guarded(() => this.#take(file, dates)),
    problem: (error) => this.#page.problem(toProblem(error)),
    check: () => this.#guarded(async () => (await request("/api/self-check")).json()),
    pointers: (answers, country) => this.#guarded(() => json("/api/self-check", { answers, country })),
  });
  #wanted = 0;

  start() {
    this.#page.start(this.#plan);
    this.#load();
  }

  async #load() {
    const mine = (this.#wanted += 1);
    const found = await this.#guarded(async () => (await request(`/api/backlog?${query(this.#plan, W.keys)}`)).json());
    // Of two requests under way the newer one counts, whichever answers last.
    if (found && mine === this.#wanted) this.#page.render(found, this.#plan, zone());
    return found;
  }

  #setPlan(change) {
    this.#plan = { ...this.#plan, ...change };
    keepPlan(this.#plan);
    this.#load();
  }

  async #recap(visit, text, reason) {
    const made = await json("/api/recaps", {
      text, visit: visit.id, late_reason: reason, zone: zone(), ...(visit.kind === "progress" ? {} : { format: visit.kind }),
    });
    await this.#load();
    return made;
  }

  async #sign(visit) {
    await request(`/api/visits/${encodeURIComponent(visit.id)}`, { method: "PATCH", body: JSON.stringify({ note: "signed" }) });
    return this.#load();
  }

  async #take(file, dates) {
    const values = new URLSearchParams({ zone: zone(), ...(dates ? { dates } : {}) });
    const type = /\.ics$/i.test(file.name) ? "text/calendar" : "text/csv";
    const answer = await request(`/api/visits/import?${values}`, { method: "POST", body: file, headers: { "Content-Type": type } });
    const taken = await answer.json();
    await this.#load();
    return taken;
  }

  /** What the work gives, or null where it failed: the page then says why. */
  async #guarded(work) {
    try {
      const done = await work();
      this.#page.problem(null);
      return done;
    } catch (error) {
      this.#page.problem(toProblem(error));
      return null;
    }
  }
}

async function json(url, body) {
  return (await request(url, { method: "POST", body: JSON.stringify(body) })).json();
}
