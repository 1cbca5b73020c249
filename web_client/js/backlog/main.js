import { BacklogApp } from "./app.js";

new BacklogApp().start();
