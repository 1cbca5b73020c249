// A message on the page: what is so, and what to do.

import { h, icon } from "./dom.js";

export function notice(tone, message, mend, ...more) {
  return h("div", { class: `notice notice--${tone}` }, icon(tone === "bad" ? "stop" : tone === "busy" ? "warning" : "info"),
    h("div", { class: "notice__words" }, h("p", { class: "notice__what" }, message), mend ? h("p", {}, mend) : null, ...more));
}
