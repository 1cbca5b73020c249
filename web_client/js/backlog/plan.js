// What the clinician set for the backlog. It holds no name and nothing of a session, so the browser may keep it.

const KEY = "sameday.backlog";
const START = { order: "newest", slots: [], newAWeek: 0 };

/** {order, slots: [{day, time, minutes}], newAWeek}; `day` 0 is Monday. */
export function readPlan() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { ...START, ...kept, slots: Array.isArray(kept.slots) ? kept.slots.filter(isSlot) : [] };
  } catch {
    return START;
  }
}

export function keepPlan(plan) {
  try {
    localStorage.setItem(KEY, JSON.stringify(plan));
  } catch {
    // A browser that keeps nothing asks again.
  }
}

const isSlot = (slot) => Number.isInteger(slot?.day) && /^\d{2}:\d{2}$/.test(slot?.time) && Number.isInteger(slot?.minutes);

/** The request's query for a plan in the browser's own zone. */
export function query(plan, keys) {
  const values = new URLSearchParams({ order: plan.order, new_a_week: String(plan.newAWeek), zone: zone() });
  for (const slot of plan.slots) values.append("block", `${keys[slot.day]} ${slot.time} ${slot.minutes}`);
  return values.toString();
}

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
