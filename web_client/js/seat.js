// Whose seat this is: a line at the page's end, with the way out; or how to have a sign-in where there is none yet.

import { watchSignIn } from "./signed_out.js";
import { F } from "./strings_frame.js";
import { h } from "./view/dom.js";
import { whose } from "./whose.js";

async function signOut() {
  const response = await fetch("/api/sign-out", { method: "POST" }).catch(() => null);
  if (response?.ok || response?.status === 401) location.replace("/sign-in");
}

function told(seat) {
  if (seat.mode === "single") return h("p", { class: "seat" }, F.seat.single, h("code", {}, F.seat.add), ".");
  const who = seat.credentials ? `${seat.name}, ${seat.credentials}` : seat.name;
  const out = h("button", { type: "button", class: "button button--small", on: { click: signOut } }, F.seat.out);
  return h("p", { class: "seat" }, F.seat.account(who, seat.practice), " ", out);
}

watchSignIn();
const seat = await whose();
if (seat?.mode === "nobody") location.replace(`/sign-in${location.hash}`);
else if (seat?.mode) document.getElementById("footer").append(told(seat));
