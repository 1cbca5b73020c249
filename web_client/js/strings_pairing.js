// The words of pairing a tablet.

export const T = {
  lead: "Scan this with the tablet’s camera. A microphone needs a secure address (https).",
  none: "This page was opened under a name that only this machine knows. Open it under the server’s network name to pair a tablet.",
  alt: "QR code of this address",
  first: "The first time on this tablet",
  trust: "If the tablet says that the connection is not private, scan this one first, go on past the warning, and let the tablet trust the certificate. On an iPad: Settings, Profile Downloaded, Install; then General, About, Certificate Trust Settings. On Android: Settings, Security, Install a certificate, CA certificate.",
  trustAlt: "QR code of this practice’s certificate",
  fetch: "Certificate for this device",
  print: "It is the right one if the tablet shows this SHA-256:",
};
