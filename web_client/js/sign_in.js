// The sign-in page: a login and its password, or a provider that vouches for one.

const form = document.getElementById("form");
const problem = document.getElementById("problem");

const PROBLEMS = {
  not_signed_in: "This login with this password is not known. Check both, then try again.",
  too_many: "Too many attempts. Wait a few minutes, then try again.",
  unreachable: "The server cannot be reached. Try again in a moment.",
  provider: "Your provider did not vouch for an account here. Ask whoever keeps the accounts.",
};

function show(text) {
  problem.textContent = text;
  problem.hidden = false;
  problem.focus();
}

async function signIn() {
  const body = JSON.stringify({ login: form.elements.login.value, password: form.elements.password.value });
  let response;
  try {
    response = await fetch("/api/sign-in", {
      method: "POST", body, headers: { "Content-Type": "application/json" }, cache: "no-store",
    });
  } catch {
    return show(PROBLEMS.unreachable);
  }
  if (response.ok) return location.replace("/");
  const code = (await response.json().catch(() => null))?.error?.code;
  form.elements.password.value = "";
  return show(PROBLEMS[code] ?? PROBLEMS.not_signed_in);
}

async function listProviders() {
  const response = await fetch("/api/seat", { cache: "no-store" });
  const seat = await response.json();
  if (seat.mode === "single") return location.replace("/");
  for (const { name, href } of seat.providers ?? []) {
    const link = document.createElement("a");
    link.className = "button";
    link.href = href;
    link.textContent = `Sign in with ${name}`;
    document.getElementById("providers").append(link);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn();
});
if (new URLSearchParams(location.search).has("refused")) show(PROBLEMS.provider);
listProviders().catch(() => show(PROBLEMS.unreachable));
