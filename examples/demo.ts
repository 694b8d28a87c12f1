// `bun run demo`: a weather station that writes a CSV file every second, a server that publishes it, and the page in a browser.
// Ctrl-C ends all of it, and nothing stays behind. What follows `bun run demo` goes to the server: `bun run demo --port 8080`.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HEADER = "time,temperature [°C],humidity [%],pressure [hPa],wind [m/s]";
const SECOND = 1_000;
/** Rows that are there at the start, so that the plot has something to show. */
const HISTORY = 300;
const SERVER = join(import.meta.dir, "../src/server.ts");

type Weather = {
  readonly temperature: number;
  readonly humidity: number;
  readonly pressure: number;
  readonly wind: number;
};

/** A step of a random walk that is drawn back to where it usually is. */
const drift = (value: number, usual: number, step: number) =>
  value + (usual - value) * 0.01 + (Math.random() - 0.5) * step;

function next({ temperature, humidity, pressure, wind }: Weather): Weather {
  return {
    temperature: drift(temperature, 18, 0.3),
    humidity: Math.min(100, Math.max(0, drift(humidity, 62, 1))),
    pressure: drift(pressure, 1013, 0.2),
    wind: Math.max(0, drift(wind, 4, 0.8)),
  };
}

function rowOf(at: number, { temperature, humidity, pressure, wind }: Weather): string {
  const cells = [temperature.toFixed(1), humidity.toFixed(0), pressure.toFixed(1), wind.toFixed(1)];
  return `${new Date(at).toISOString().slice(0, 19)}Z,${cells.join(",")}\n`;
}

/** Begins the file, and appends a row a second, as a logger does. Returns how to stop it. */
function startStation(path: string): () => void {
  let weather: Weather = { temperature: 18, humidity: 62, pressure: 1013, wind: 4 };
  const rowAt = (at: number) => rowOf(at, (weather = next(weather)));
  const begin = Date.now() - HISTORY * SECOND;
  const rows = Array.from({ length: HISTORY }, (_, i) => rowAt(begin + i * SECOND));
  writeFileSync(path, `${HEADER}\n${rows.join("")}`);
  const clock = setInterval(() => appendFileSync(path, rowAt(Date.now())), SECOND);
  return () => clearInterval(clock);
}

const folder = mkdtempSync(join(tmpdir(), "csvcast-demo-"));
const path = join(folder, "weather.csv");
const stopStation = startStation(path);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const server = Bun.spawn([process.execPath, SERVER, path, "--types", "auto", "--open", ...process.argv.slice(2)], {
  stdio: ["inherit", "inherit", "inherit"],
});
// The server ends in order, and says with which code; a terminal tells both of Ctrl-C.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => server.kill(signal));
const code = await server.exited;
stopStation();
process.exit(code);
