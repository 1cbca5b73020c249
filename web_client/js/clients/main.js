import { ClientsPage } from "./page.js";

new ClientsPage().start();
