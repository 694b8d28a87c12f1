// Loaded before every test file (bunfig.toml): a test that waits for a condition may wait this long on a busy machine.
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(30_000);
