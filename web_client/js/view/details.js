// What is known of a session beside the talk: whose it was, where, by whom. The fields, before the session and with its note.

import { defaults } from "../defaults.js";
import { D } from "../strings_details.js";
import { whose } from "../whose.js";
import { h, newId, setHidden, setText } from "./dom.js";

const NEW = "new";
const TELEHEALTH = ["telehealth_video", "telehealth_audio"];
const SELF = ["provider", "credentials"];
const TEXTS = ["place", "client_location", "provider_location", "platform", "telehealth_consent", "provider", "credentials"];

export class DetailsFields {
  #field = {};
  #row = {};
  #client = select([["", D.clientNone], [NEW, D.clientNew]]);
  #modality = select(Object.entries(D.modalities));
  #service = select(Object.entries(D.services));
  #chart = {};
  #chartBox;
  #error = h("p", { class: "field-error", role: "alert" });
  #shown = null;
  #charts = null;
  #self = null; // name and credentials of whoever is here, once that is known

  constructor() {
    const redraw = () => this.#reveal();
    for (const list of [this.#client, this.#modality, this.#service]) list.addEventListener("change", redraw);
    const newClient = [
      this.#text("name", D.chart.name, { into: this.#chart }),
      this.#text("date_of_birth", D.chart.born, { into: this.#chart, type: "date" }),
      this.#text("diagnosis", D.chart.diagnosis, { into: this.#chart, hint: D.chart.diagnosisHint }),
      this.#text("goals", D.chart.goals, { into: this.#chart, hint: D.chart.goalsHint, rows: 2 }),
    ];
    this.#chartBox = h("fieldset", { class: "details__chart" }, h("legend", {}, D.chart.legend), newClient, this.#error);
    this.element = h("div", { class: "details__fields" },
      labelled(this.#client, D.client, D.clientHint), this.#chartBox,
      labelled(this.#modality, D.modality),
      this.#text("place", D.place, { hint: D.placeHint }),
      this.#text("client_location", D.clientLocation, { hint: D.clientLocationHint }),
      this.#text("provider_location", D.providerLocation),
      this.#text("platform", D.platform),
      this.#text("telehealth_consent", D.consent, { hint: D.consentHint }),
      labelled(this.#service, D.service),
      this.#text("participants", D.participants, { hint: D.participantsHint }),
      this.#text("group_size", D.groupSize, { type: "number", min: 1, max: 100 }),
      this.#text("em_minutes", D.emMinutes, { type: "number", min: 0, max: 600 }),
      this.#text("provider", D.provider, { autocomplete: "name" }),
      this.#text("credentials", D.credentials, { hint: D.credentialsHint }));
    this.#reveal();
    whose().then((seat) => {
      this.#self = seat?.mode === "account" ? { provider: seat.name, credentials: seat.credentials ?? "" } : defaults();
      this.#fillSelf();
    });
  }

  /** A session that has no provider yet is that of whoever is here: the account's, else as this browser knows them. */
  #fillSelf() {
    if (!this.#self || this.#field.provider.value) return;
    for (const name of SELF) this.#field[name].value = this.#self[name];
  }

  /** Shows what the server knows, once for each answer of it: what is being typed stays until then. */
  show(client, context) {
    const known = JSON.stringify([client, context]);
    if (known === this.#shown) return;
    this.#shown = known;
    this.#choose(client ?? "");
    this.#modality.value = context.modality ?? "";
    this.#service.value = context.service === "psychotherapy" ? "" : context.service ?? "";
    for (const name of TEXTS) this.#field[name].value = context[name] ?? "";
    this.#field.participants.value = (context.participants ?? []).join(", ");
    for (const name of ["group_size", "em_minutes"]) this.#field[name].value = context[name] || "";
    for (const input of Object.values(this.#chart)) input.value = "";
    this.#fillSelf();
    this.#reveal();
  }

  /** Fills in what is known before the session: the appointment's client and way of meeting, the clinician's own name and places. */
  suggest(appointment) {
    for (const [name, value] of Object.entries(defaults())) if (!SELF.includes(name)) this.#field[name].value ||= value;
    this.#fillSelf();
    if (appointment?.client) this.#choose(appointment.client);
    else if (appointment?.name) {
      this.#client.value = NEW;
      this.#chart.name.value = appointment.name;
    }
    if (appointment?.modality) this.#modality.value = appointment.modality;
    if (appointment?.kind === "intake") this.#service.value = "intake";
    if (appointment?.kind === "plan") this.#service.value = "treatment_plan";
    this.#reveal();
  }

  /** Over a call or in a room: what was entered of it follows, where it says otherwise. */
  meets(call) {
    if (TELEHEALTH.includes(this.#modality.value) !== call) this.#modality.value = call ? "telehealth_video" : "in_person";
    this.#reveal();
  }

  /** Client and way of meeting in a line. */
  get words() {
    const one = this.#client.selectedOptions[0];
    const name = this.#client.value === NEW ? this.#chart.name.value : this.#client.value ? one.textContent : "";
    return D.summary(name, this.#modality.value ? D.modalities[this.#modality.value] : "");
  }

  get modality() {
    return this.#modality.value;
  }

  /** The charts to choose from; the choice stays. */
  list(charts) {
    if (charts === this.#charts) return;
    this.#charts = charts;
    const now = this.#client.value;
    this.#client.replaceChildren(...[["", D.clientNone], ...charts.map((one) => [one.id, named(one, charts)]), [NEW, D.clientNew]].map(option));
    this.#choose(now);
  }

  #choose(id) {
    if (id && ![...this.#client.options].some((one) => one.value === id)) this.#client.prepend(option([id, D.clientKept]));
    this.#client.value = id;
  }

  /** {client, chart, context}: `chart` is a new client's, else null. null where something is missing, which is said. */
  given() {
    const isNew = this.#client.value === NEW;
    const name = this.#chart.name.value.trim();
    setText(this.#error, isNew && !name ? D.chart.missing : "");
    if (isNew && !name) {
      this.#chart.name.focus();
      return null;
    }
    const context = { modality: this.#modality.value || null, service: this.#service.value || null };
    for (const one of TEXTS) context[one] = this.#value(one) || null;
    const taking = this.#value("participants").split(",").map((one) => one.trim()).filter(Boolean);
    context.participants = taking.length ? taking : null;
    for (const one of ["group_size", "em_minutes"]) context[one] = Number.parseInt(this.#value(one), 10) || null;
    return { client: isNew ? null : this.#client.value || null, chart: isNew ? this.#newChart(name) : null, context };
  }

  #newChart(name) {
    const [born, diagnosis] = [this.#chart.date_of_birth.value, this.#chart.diagnosis.value.trim()];
    const goals = this.#chart.goals.value.split("\n").map((one) => one.trim()).filter(Boolean);
    return { client: name, ...(born ? { date_of_birth: born } : {}), ...(diagnosis ? { diagnoses: [diagnosis] } : {}), goals };
  }

  /** What is asked for follows from how they met and what kind of session it was. A field that is away is empty. */
  #reveal() {
    const remote = TELEHEALTH.includes(this.#modality.value);
    setHidden(this.#chartBox, this.#client.value !== NEW);
    setHidden(this.#row.place, remote);
    for (const one of ["client_location", "provider_location", "platform", "telehealth_consent"]) setHidden(this.#row[one], !remote);
    setHidden(this.#row.participants, !["family", "family_without_client", "group"].includes(this.#service.value));
    setHidden(this.#row.group_size, this.#service.value !== "group");
    setHidden(this.#row.em_minutes, this.#service.value !== "em_addon");
  }

  #value(name) {
    return this.#row[name].hidden ? "" : this.#field[name].value.trim();
  }

  #text(name, label, { hint = "", rows = 0, type = "text", into = this.#field, autocomplete = "off", ...more } = {}) {
    const id = newId("detail");
    const input = rows
      ? h("textarea", { class: "textarea", id, rows, dir: "auto" })
      : h("input", { class: "input", id, type, dir: type === "text" ? "auto" : null, autocomplete, ...more });
    into[name] = input;
    const row = field(input, id, label, hint);
    if (into === this.#field) this.#row[name] = row;
    return row;
  }
}

/** Two clients of one name are told apart by their date of birth. */
function named(chart, charts) {
  const name = chart.client || chart.id;
  const shared = charts.filter((one) => one.client === chart.client).length > 1;
  return shared && chart.date_of_birth ? `${name}, ${chart.date_of_birth}` : name;
}

const option = ([value, words]) => h("option", { value }, words);

const select = (options) => h("select", { class: "select", id: newId("detail") }, options.map(option));

const labelled = (list, label, hint = "") => field(list, list.id, label, hint);

function field(input, id, label, hint) {
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return h("div", { class: "field" }, h("label", { for: id }, label), input, hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null);
}
