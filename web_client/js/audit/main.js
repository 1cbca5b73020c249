import { AuditPage } from "./page.js";

new AuditPage().start();
