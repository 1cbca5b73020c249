// The words of the sign-in page.

export const I = {
  page: "Sign in · sameday",
  title: "Sign in",
  login: "Login",
  password: "Password",
  submit: "Sign in",
  provider: (name) => `Sign in with ${name}`,
  done: "You are signed in. Go back to the other tab: it goes on by itself.",
  problems: {
    not_signed_in: "This login with this password is not known. Check both, then try again.",
    too_many: "Too many attempts. Wait a few minutes, then try again.",
    unreachable: "The server cannot be reached. Try again in a moment.",
    provider: "Your provider did not vouch for an account here. Ask whoever keeps the accounts.",
  },
};
