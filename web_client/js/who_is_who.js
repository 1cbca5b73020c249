// Who is taken for whom, and what can be done about it: pure, of the page's state.

import { speakers } from "./selectors.js";
import { isSigned } from "./signed.js";
import { S } from "./strings.js";

/** Whether a single tap can put the roles right: two people, and known who is taken for whom. */
export function canSwap(state) {
  if (isSigned(state.note)) return false;
  const all = speakers(state);
  return all.length === 2 && all.some((speaker) => state.roles.by[speaker]);
}

/** The roles to ask for when `speaker` is said to be `role`: of two people, the other one is then known as well. */
export function withRole(state, speaker, role) {
  const all = speakers(state);
  const other = all.find((one) => one !== speaker);
  const pair = { clinician: "client", client: "clinician" };
  if (all.length !== 2 || !Object.hasOwn(pair, role)) return { ...state.roles.by, [speaker]: role };
  return { [speaker]: role, [other]: pair[role] };
}

/** Why the roles are what they are, and whether to check them. */
export function rolesWords(state) {
  if (Object.keys(state.roles.by).length === 0) return S.live.rolesNone;
  return S.live.roleSources[state.roles.source] ?? S.live.rolesGuess(state.roles.confidence ?? 0);
}
