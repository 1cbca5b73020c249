import { OpsPage } from "./page.js";

new OpsPage().start();
