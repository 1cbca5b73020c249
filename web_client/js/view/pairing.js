// The code for the tablet's camera, where this server's address means something there.

import { F } from "../strings_frame.js";
import { h } from "./dom.js";

const THIS_MACHINE = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export function pairing(address) {
  if (THIS_MACHINE.test(new URL(address).hostname)) return [h("p", { class: "hint" }, F.tablet.none)];
  return [h("p", { class: "hint" }, F.tablet.lead),
    h("img", { class: "qr", alt: F.tablet.alt, src: `/api/pairing?address=${encodeURIComponent(address)}`, width: 220, height: 220 })];
}
