// The code for the tablet's camera, where this server's address means something there.

import { T } from "../strings_pairing.js";
import { h, setChildren } from "./dom.js";

const THIS_MACHINE = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const AUTHORITY = "/authority.crt";

export function pairing(address) {
  const { hostname, origin } = new URL(address);
  if (THIS_MACHINE.test(hostname)) return [h("p", { class: "hint" }, T.none)];
  const first = h("details", { hidden: true });
  offerAuthority(first, `${origin}${AUTHORITY}`);
  return [h("p", { class: "hint" }, T.lead), code(address, T.alt), h("div", { class: "folds" }, first)];
}

const code = (address, alt) =>
  h("img", { class: "qr", alt, src: `/api/pairing?address=${encodeURIComponent(address)}`, width: 220, height: 220 });

/** Where the practice has an authority of its own, a tablet must be told once to trust it. */
async function offerAuthority(fold, address) {
  const found = await fetch(AUTHORITY).catch(() => null);
  if (!found?.ok) return;
  const print = await crypto.subtle.digest("SHA-256", await found.arrayBuffer());
  const hex = [...new Uint8Array(print)].map((byte) => byte.toString(16).padStart(2, "0")).join(":").toUpperCase();
  setChildren(fold, [h("summary", {}, T.first), h("p", { class: "hint" }, T.trust), code(address, T.trustAlt),
    h("p", {}, h("a", { class: "way", href: AUTHORITY }, T.fetch)),
    h("p", { class: "hint" }, T.print), h("p", { class: "hint print" }, hex)]);
  fold.hidden = false;
}
