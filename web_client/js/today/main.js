import { TodayPage } from "./page.js";

new TodayPage().start();
