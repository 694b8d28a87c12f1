// The one script of the viewer: on the page it is the page, in a Worker the Worker. So there is one file to load, whoever bundles it.
import { startPage } from "./page.ts";
import { startWorker } from "./worker.ts";

if ("document" in globalThis) startPage(new URL(import.meta.url));
else startWorker();
