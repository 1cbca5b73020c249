// The words around all pages.

export const F = {
  home: "sameday: today",
  navigation: "Pages",
  skip: "Skip to the content",
  ways: { today: "Today", session: "Session", backlog: "Backlog", clients: "Clients", settings: "Settings" },
  offline: "No network: pages open, but nothing can be loaded or saved now.",
  install: "Install on this device",
  onServer: "What stands here is kept on your practice’s own server.",
  seat: {
    single: "No sign-in on this machine: whoever sits at it is the clinician. An account is made by ",
    add: "sameday user add LOGIN --name NAME",
    account: (who, practice) => `Signed in as ${who} (${practice}).`,
    out: "Sign out",
    over: "Your sign-in is over.",
    overMend: "What is said meanwhile is kept on this device and is sent once you have signed in again; what you have entered stays on this page. Leave it open.",
    again: "Sign in again",
  },
  tablet: { title: "On a tablet" },
};
