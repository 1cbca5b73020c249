// The sign-in page: a login and its password, or a provider that vouches for one. With `?here` it was opened beside a
// page that goes on by itself afterwards; else it leads to where one came from.

import { I } from "./strings_sign_in.js";

const form = document.getElementById("form");
const problem = document.getElementById("problem");
const asked = new URLSearchParams(location.search);

function show(text) {
  problem.textContent = text;
  problem.hidden = false;
  problem.focus();
}

function name() {
  document.title = I.page;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = I[element.dataset.word];
}

function goOn() {
  if (!asked.has("here")) return location.replace(`/${location.hash}`);
  window.close();
  form.hidden = true;
  const done = document.getElementById("done"); // where the browser does not let a page close itself
  done.textContent = I.done;
  return done.focus();
}

async function signIn() {
  const body = JSON.stringify({ login: form.elements.login.value, password: form.elements.password.value });
  let response;
  try {
    response = await fetch("/api/sign-in", {
      method: "POST", body, headers: { "Content-Type": "application/json" }, cache: "no-store",
    });
  } catch {
    return show(I.problems.unreachable);
  }
  if (response.ok) return goOn();
  const code = (await response.json().catch(() => null))?.error?.code;
  form.elements.password.value = "";
  return show(I.problems[code] ?? I.problems.not_signed_in);
}

async function listProviders() {
  const response = await fetch("/api/seat", { cache: "no-store" });
  const seat = await response.json();
  if (seat.mode === "single") return location.replace("/");
  for (const { name: words, href } of seat.providers ?? []) {
    const link = document.createElement("a");
    link.className = "button";
    link.href = href;
    link.textContent = I.provider(words);
    document.getElementById("providers").append(link);
  }
}

name();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn();
});
if (asked.has("refused")) show(I.problems.provider);
listProviders().catch(() => show(I.problems.unreachable));
