// Units of measurement, as they stand behind numbers (`405.6 MB`) and in names of columns (`temp [°C]`): the symbols of the SI
// and those that are used beside it (BIPM, SI brochure, tables 2 to 8), IEC 80000-13 for bytes, ISO 4217 for money, and words.

const words = (text: string) => text.split(" ");

/** They take prefixes: `mV`, `kHz`, `GiB`. */
const PREFIXED = new Set(
  words(
    "m g s A K mol cd Hz N Pa J W C V F Ω Ohm ohm S Wb T H lm lx Bq Gy Sv kat l L bar b B bit byte bps Bps Wh VA VAr var " +
      "eV cal t Ah rad M Torr Gs sps",
  ),
);
const PREFIX = /^(?:[KMGTPE]i|da|[YZEPTGMkKhdcmµμunpf])/u;

const PLAIN = new Set(
  words(
    "% ‰ ° °C °F ºC degC degF deg ′ ″ min h hr hrs d wk yr a rpm RPM fps FPS ppm ppb psi PSI atm mmHg inHg in ft yd mi mph MPH kn kt kts " +
      "kph kmh lb lbs oz gal px pt dpi dB dBm dBi dBA dBFS dBV cycles counts cps bpm cpm nm NM au ly pH kgf lbf hp HP BTU ha " +
      "℃ ℉ Å $ € £ ¥ EUR USD GBP CHF JPY CNY INR RUB PLN CZK SEK NOK DKK AUD CAD BRL HUF TRY KRW MXN ZAR BTC ETH",
  ),
);

/** In any case, and in the plural. */
const NAMES = new Set(
  words(
    "sec second msec usec minute hour day week month year volt millivolt amp ampere watt kilowatt ohm hertz kelvin celsius fahrenheit " +
      "degree percent pascal newton joule metre meter millimeter millimetre kilometer kilometre mile inch foot feet liter litre gram kilogram " +
      "pound byte kilobyte megabyte gigabyte bit tick radian lux deg°c°",
  ),
);

const DIVIDERS = /[/·⋅*. ]/;
const EXPONENT = /(?:\^?[-−+]?\d|\*\*-?\d|[⁺⁻]?[¹²³⁴])$/u;
const MAX_LENGTH = 24;

/** Whether it is a known unit, or made of such: `m/s²`, `kWh`, `l/min`, `Deg C`. Without brackets around it. */
export function isUnit(text: string): boolean {
  if (text.length === 0 || text.length > MAX_LENGTH) return false;
  if (isSimple(text) || /^deg(?:ree)?s?[ .]?[cfk]$/i.test(text)) return true;
  const factors = text.split(DIVIDERS);
  return factors.length > 1 && factors.length < 5 && factors.every((factor, i) => isFactor(factor, i));
}

/** `1/s` is one; so is `m²` in `W/m²`. */
const isFactor = (text: string, place: number) => (place === 0 && text === "1") || isSimple(text);

function isSimple(text: string): boolean {
  if (isBase(text)) return true;
  const base = text.replace(EXPONENT, "");
  return base !== text && base !== "" && isBase(base);
}

function isBase(text: string): boolean {
  if (PLAIN.has(text) || PREFIXED.has(text)) return true;
  const prefix = PREFIX.exec(text)?.[0] ?? "";
  if (prefix !== "" && PREFIXED.has(text.slice(prefix.length))) return true;
  const name = text.toLowerCase();
  return NAMES.has(name) || (name.endsWith("s") && NAMES.has(name.slice(0, -1)));
}

/** The unit in a column's name: `temp [°C]`, `power (W)`, `U[V](mean)`, `Wind in m/s`; undefined if it has none. */
export function unitInName(name: string): string | undefined {
  if (name.length > 1_000) return undefined;
  const inBrackets = [...name.matchAll(/[[(]([^[\]()]{1,24})[\])]/g)].map((match) => match[1]!.trim());
  return inBrackets.findLast(isUnit) ?? / in (\S{1,24})$/.exec(name.trimEnd())?.slice(1).find(isUnit);
}
