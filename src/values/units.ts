// Units of measurement, as they stand behind numbers (`405.6 MB`) and in names of columns (`temp [°C]`): the symbols of the SI
// and those that are used beside it (BIPM, SI brochure, tables 2 to 8), IEC 80000-13 for bytes, ISO 4217 for money, and words.

/** Its calls are marked as pure, so that a page that asks for no unit does without the words. */
const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
const longOf = (units: ReadonlySet<string>) =>
  new Set([...units].filter((unit) => unit.length > 3).map((unit) => unit.toLowerCase()));

/** They take prefixes: `mV`, `kHz`, `GiB`. */
const PREFIXED =
  /* @__PURE__ */ words(`m g s A K mol cd Hz N Pa J W C V F Ω Ohm ohm S Wb T H lm lx Bq Gy Sv kat l L bar b B bit byte bps Bps Bd Wh VA VAr Var var eV
  cal t Ah rad M Torr Gs gal Gal sps Nm ε`);
const PREFIX = /^(?:[KMGTPE]i|da|[PTGMkKhdcmµμunpf])/u;

const PLAIN =
  /* @__PURE__ */ words(`% ‰ /s /min /h ° °C °F °K ºC ºF degC degF degK degT deg ′ ″ min h hr hrs d wk yr yrs rpm RPM fps FPS ppm ppb ppt psi PSI psia
  psig ksi atm mmHg inHg mmH2O cmH2O inH2O in ft yd mi mph MPH kn kt kts kph kmh lb lbs oz px pt dpi dB dBm dBi dBA dB(A) dB(C)
  dBFS dBV dBµV dBc cycles counts cts cps bpm cpm nm NM au a.u. arb. ly pH NTU FTU FNU PSU psu %RH %rH %rF kgf lbf kip Nmm hp
  HP BTU ha ccm gpm cfm sccm slm slpm pcs G mAU ℃ ℉ Å $ € £ ¥ EUR USD GBP CHF JPY CNY INR RUB PLN CZK SEK NOK DKK AUD CAD BRL
  HUF TRY KRW MXN ZAR BTC ETH`);
/** In any case: they are long enough not to be another word. */
const LONG = /* @__PURE__ */ longOf(PLAIN);

/** Units behind a stroke only: `kWh/a`. Alone such a letter is rather a name, or the key of one. */
const DIVISORS = /* @__PURE__ */ words("a U Umdr rev pulse");

/** In any case, and in the plural. */
const NAMES =
  /* @__PURE__ */ words(`sec second msec millisecond usec microsecond nsec nanosecond min minute hour day week month year volt millivolt amp ampere
  milliampere watt kilowatt ohm hertz kilohertz megahertz kelvin celsius fahrenheit degree percent radian pascal newton joule
  farad henry tesla metre meter millimeter millimetre centimeter centimetre kilometer kilometre mile inch foot feet yard knot
  liter litre gram kilogram pound byte kilobyte megabyte gigabyte bit tick lux deg°c° sekunde sekunden minuten stunde stunden
  tag tage grad prozent gramm umdrehungen stück`);
const PLURALS = /* @__PURE__ */ words("inches");

const DIVIDERS = /[/·⋅*. ]/;
const EXPONENT = /(?:\^[-−+]?\d|\*\*-?\d|[⁺⁻]?[¹²³⁴])$/u;
/** What only looks like one in a name (`V2`, `A-1`), but not behind another unit: `W/m2`. */
const BARE_EXPONENT = /(?:[234]|[-−]\d)$/;
const COMMON_POWER = /^(?:(?:[kdcmµμn]?m|in|ft|yd)[23]|(?:[kdcmµμn]?m|s|min|h)[-−][1-4])$/u;
const MAX_LENGTH = 24;

/** Whether it is a known unit, or made of such: `m/s²`, `kWh`, `l/min`, `Deg C`. Without brackets around it. */
export function isUnit(text: string): boolean {
  if (text.length === 0 || text.length > MAX_LENGTH) return false;
  if (isSimple(text) || /^deg(?:ree)?s?[ .]?[cfk]$/i.test(text)) return true;
  const factors = text.split(DIVIDERS);
  return factors.length > 1 && factors.length < 5 && factors.every((factor, i) => isFactor(factor, i));
}

/** `1/s` is one; so is `m²` in `W/m²`, and `a` in `kWh/a`. */
const isFactor = (text: string, place: number) =>
  (place === 0 ? text === "1" || text === "U" : DIVISORS.has(text)) ||
  isSimple(text) ||
  isBase(text.replace(BARE_EXPONENT, ""));

function isSimple(text: string): boolean {
  if (isBase(text) || COMMON_POWER.test(text)) return true;
  const base = text.replace(EXPONENT, "");
  return base !== text && base !== "" && isBase(base);
}

function isBase(text: string): boolean {
  if (PLAIN.has(text) || PREFIXED.has(text)) return true;
  const prefix = PREFIX.exec(text)?.[0] ?? "";
  if (prefix !== "" && PREFIXED.has(text.slice(prefix.length))) return true;
  const name = text.toLowerCase();
  return LONG.has(name) || NAMES.has(name) || PLURALS.has(name) || (name.endsWith("s") && NAMES.has(name.slice(0, -1)));
}

/** The unit that a cell consists of, without the brackets around it: `(ms)` is `ms`; undefined if it is none that is known. */
export function unitOf(cell: string): string | undefined {
  const text = cell.trim();
  if (text.length > MAX_LENGTH + 2) return undefined;
  const inner = /^\((.+)\)$|^\[(.+)\]$|^\{(.+)\}$|^<(.+)>$/.exec(text);
  const unit = (inner?.slice(1).find((content) => content !== undefined) ?? text).trim();
  return isUnit(unit) ? unit : undefined;
}

/** The unit in a column's name: `temp [°C]`, `power (W)`, `U[V](mean)`, `Level [dB(A)]`, `Wind in m/s`; undefined if it has none. */
export function unitInName(name: string): string | undefined {
  if (name.length > 1_000) return undefined;
  const inBrackets = [...name.matchAll(/[[(]((?:[^[\]()]|\([^[\]()]{1,3}\)){1,24})[\])]/g)].map((match) =>
    match[1]!.trim(),
  );
  return inBrackets.findLast(isUnit) ?? /(?:^| )in (\S{1,24})$/.exec(name.trimEnd())?.slice(1).find(isUnit);
}
