import { SettingsPage } from "./page.js";

new SettingsPage().start();
