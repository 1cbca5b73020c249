// Whose seat this is: a line at the page's end, with the way out; or how to have a sign-in where there is none yet.

const ADD = "sameday user add LOGIN --name NAME";

function line(...parts) {
  const made = document.createElement("p");
  made.className = "seat";
  made.append(...parts);
  return made;
}

function control() {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button button--small";
  made.textContent = "Sign out";
  made.addEventListener("click", signOut);
  return made;
}

async function signOut() {
  const response = await fetch("/api/sign-out", { method: "POST" }).catch(() => null);
  if (response?.ok || response?.status === 401) location.replace("/sign-in");
}

function told(seat) {
  if (seat.mode === "single") {
    const code = document.createElement("code");
    code.textContent = ADD;
    return line("No sign-in on this machine: whoever sits at it is the clinician. An account is made by ", code, ".");
  }
  const who = seat.credentials ? `${seat.name}, ${seat.credentials}` : seat.name;
  return line(`Signed in as ${who} (${seat.practice}). `, control());
}

const response = await fetch("/api/seat", { cache: "no-store" }).catch(() => null);
const seat = response?.ok ? await response.json() : null;
if (seat?.mode === "nobody") location.replace("/sign-in");
else if (seat?.mode) document.getElementById("footer").append(told(seat));
