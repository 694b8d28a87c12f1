// Figures in the text format of Prometheus (exposition format 0.0.4; names after prometheus.io/docs/practices/naming).
import type { Histogram } from "../channel/histogram.ts";

export type Labels = Readonly<Record<string, string>>;

export type Sample = { readonly labels?: Labels; readonly value: number };

export type Metric = {
  readonly name: string;
  readonly help: string;
} & (
  | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | {
      readonly type: "histogram";
      readonly histograms: readonly { readonly labels?: Labels; readonly values: Histogram }[];
    }
);

export function metricsText(metrics: readonly Metric[]): string {
  return metrics
    .map((metric) => `# HELP ${metric.name} ${metric.help}\n# TYPE ${metric.name} ${metric.type}\n${linesOf(metric)}`)
    .join("");
}

function linesOf(metric: Metric): string {
  const { name } = metric;
  if (metric.type !== "histogram")
    return metric.samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${value}\n`).join("");
  return metric.histograms
    .map(({ labels, values }) => {
      const cumulative = values.cumulative();
      const own = labelsText(labels);
      const begin = own === "" ? "{" : `${own.slice(0, -1)},`;
      const buckets = cumulative.map(([le, count]) => `${name}_bucket${begin}le="${le}"} ${count}\n`).join("");
      return `${buckets}${name}_sum${own} ${values.sum()}\n${name}_count${own} ${cumulative.at(-1)![1]}\n`;
    })
    .join("");
}

function labelsText(labels: Labels = {}): string {
  let text = "";
  for (const name in labels) text += `${text === "" ? "{" : ","}${name}="${escaped(labels[name]!)}"`;
  return text === "" ? "" : `${text}}`;
}

const SPECIAL = /[\\"\n]/;
const escaped = (value: string) =>
  SPECIAL.test(value) ? value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`)) : value;

/** One sample for each value of a label: `{plain: 3, live: 5}`. */
export function samplesBy(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
}
