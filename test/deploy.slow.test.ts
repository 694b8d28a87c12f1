// What an operator is given: each figure that it names is one that a server has, and Prometheus understands it. That the alerts fire
// is tested with promtool, where there is one.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import dashboard from "../deploy/grafana.json";
import pkg from "../package.json";
import { startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const DEPLOY = join(import.meta.dir, "../deploy");
const ROOT = join(import.meta.dir, "..");
const promtool = Bun.which("promtool");
const withPromtool = test.skipIf(promtool === null);
const text = (name: string) => Bun.file(join(ROOT, name)).text();

const targets = dashboard.panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ title: panel.title, expr })));

/** Of a server that publishes to a relay, so that it has those figures, too; nobody is there. */
async function metricsOf(): Promise<string> {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await using server = await startServer(["a.csv", "--relay=redis://127.0.0.1:1"], { folder });
  return await until("the table in /metrics", async () => {
    const metrics = await (await fetch(`${server.http}/metrics`)).text();
    return metrics.includes('csvcast_file_rows{table="a"} 1') && metrics;
  });
}

test("names figures that there are: alerts, dashboard, docs/operations.md and docs/relay.md", async () => {
  const metrics = await metricsOf();
  const there = new Set([...metrics.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!));
  expect(metrics).toContain(`csvcast_build_info{version="${pkg.version}",bun="${Bun.version}"} 1\n`);
  const pages = ["deploy/alerts.yml", "deploy/alerts.test.yml", "docs/operations.md", "docs/relay.md"];
  const texts = await Promise.all(pages.map(text));
  const named = new Set(
    [...texts, ...targets.map(({ expr }) => expr)].flatMap(
      (text) => text.match(/\b(csvcast|process)_[a-z_]+\b/g) ?? [],
    ),
  );
  const labels = ["process_"];
  const unknown = [...named].filter((name) => !there.has(name.replace(/_bucket$/, "")) && !labels.includes(name));
  expect(unknown).toEqual([]);
  // And each figure of csvcast's own stands on a page.
  const told = (await text("docs/operations.md")) + (await text("docs/relay.md"));
  expect([...there].filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
});

test("the events that docs/operations.md lists are those of the server", async () => {
  const source = (await text("src/channel/events.ts")) + (await text("src/relay/events.ts"));
  const types = new Set([...source.matchAll(/type: "([a-z-]+)"/g)].map(([, type]) => type!));
  const listed = /The events are ([^]*?)\n\n/.exec(await text("docs/operations.md"))?.[1] ?? "";
  const named = new Set([...listed.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!));
  // One of them ends the program before it is logged, and one is a client's end that has a name of its own in the log.
  types.delete("relay-refused");
  types.add("client-too-slow");
  expect([...named].sort()).toEqual([...types].sort());
});

withPromtool("alerts fire where they should (skipped without promtool)", () => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([promtool!, "test", "rules", join(DEPLOY, "alerts.test.yml")]);
  expect({ exitCode, output: exitCode === 0 ? "" : `${stdout}${stderr}` }).toEqual({ exitCode: 0, output: "" });
});

withPromtool("prometheus.yml is a configuration (skipped without promtool)", () => {
  const command = [promtool!, "check", "config", "--syntax-only", join(DEPLOY, "prometheus.yml")];
  const { exitCode, stderr } = Bun.spawnSync(command);
  expect({ exitCode, stderr: `${stderr}` }).toEqual({ exitCode: 0, stderr: "" });
});

withPromtool("each expression of the dashboard is one (skipped without promtool)", async () => {
  await using folder = await temporaryFolder();
  const rules = targets.map(({ expr }, i) => ({
    record: `panel:${i}`,
    expr: expr.replaceAll("$__rate_interval", "1m"),
  }));
  const path = await folder.write("rules.yml", JSON.stringify({ groups: [{ name: "panels", rules }] }));
  const { exitCode, stdout, stderr } = Bun.spawnSync([promtool!, "check", "rules", path]);
  expect({ exitCode, output: exitCode === 0 ? "" : `${stdout}${stderr}` }).toEqual({ exitCode: 0, output: "" });
});

const verify = Bun.which("systemd-analyze");
test.skipIf(verify === null)("the unit is one (skipped without systemd-analyze)", async () => {
  await using folder = await temporaryFolder();
  // The program is not installed where tests run.
  const unit = (await text("deploy/csvcast.service")).replaceAll("/usr/local/bin/csvcast-server", "/bin/true");
  const path = await folder.write("csvcast.service", unit);
  const { exitCode, stderr } = Bun.spawnSync([verify!, "verify", "--man=no", path]);
  expect({ exitCode, stderr: exitCode === 0 ? "" : `${stderr}` }).toEqual({ exitCode: 0, stderr: "" });
});

test("what the unit and the image start is understood, and is what their README says", async () => {
  const { readOptions } = await import("../src/cli/options.ts");
  const { serverOptions } = await import("../src/cli/server/options.ts");
  const { clientOptions } = await import("../src/cli/client/options.ts");
  const unit = await text("deploy/csvcast.service");
  const dockerfile = await text("deploy/Dockerfile");
  const started = /^ExecStart=\S+ (.*)$/m.exec(unit)![1]!.replace("%d/token", "token").split(" ");
  const { values, positionals } = readOptions(serverOptions, started, {});
  expect(positionals).toEqual(["/srv/data/prices.csv"]);
  expect(values.program).toMatchObject({ log: "json", tokenFile: "token" });
  const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)![1]!) as string[];
  expect(readOptions(serverOptions, entry.slice(1), {}).values.network.port).toBe(values.network.port!);
  const check = JSON.parse(/^ {2}CMD (.*)$/m.exec(dockerfile)![1]!) as string[];
  readOptions(clientOptions, check.slice(1), {});
  expect(pkg.engines.bun).toBe(`>=${/^FROM oven\/bun:(\S+)/m.exec(dockerfile)![1]}`);
  for (const name of [
    "csvcast.service",
    "Dockerfile",
    "nginx.conf",
    "Caddyfile",
    "prometheus.yml",
    "alerts.yml",
    "grafana.json",
  ])
    expect(await text("deploy/README.md")).toContain(`\`${name}\``);
});
