// Which words are units of measurement, alone in a cell or behind the name of a column.

const PREFIXED =
  /^(?:[fpnuµμmcdhkMGT])?(?:s|m|g|A|V|W|Hz|Pa|N|J|F|H|C|K|l|L|t|bar|Ohm|ohm|Ω|Ω|S|T|Wb|mol|cd|lm|lx|Bq|Sv|Gy|eV|cal|Ah|Wh|VA|var|Var|b|B|bit|byte|bps|Bd|gal|Gal)$/;

const WORDS = new Set(
  `% ‰ ppm ppb ppt min h hr hrs d day days week weeks month year years yr msec usec nsec sec secs mins
  °C °F °K ° deg degC degF degK rad mrad °/s deg/s rpm RPM 1/min U/min 1/s Hz dB dBm dBA dB(A) dBV dBFS dBi psi psia psig inHg mmHg mmH2O
  hPa mbar atm Torr torr in ft yd mi mile miles inch inches foot feet mph kmh km/h kph kn kt kts knots knot kWh MWh GWh Wh
  m2 m² m3 m³ cm2 cm² cm3 cm³ mm2 mm² km2 km² ccm lb lbs lbf oz kip ksi MPa GPa N/m Nm mNm Nmm kNm
  KiB MiB GiB TiB KB kB MB GB TB kb Mb Gb kbit Mbit Gbit kbps Mbps Gbps MiB/s KiB/s MB/s kB/s B/s
  pH NTU FTU PSU psu uS/cm µS/cm mS/cm mg/l mg/L µg/l ug/l g/l µg/m3 µg/m³ ug/m3 mg/m3 mg/m³
  W/m2 W/m² J/kg kJ/kg g/kg kg/m3 kg/m³ g/cm3 g/cm³ m3/h m³/h m3/s m³/s l/min L/min l/h l/s
  m/s2 m/s² m/s^2 mm/h mm/min lux V/m A/m T/m g's G pcs counts cts a.u. arb. au
  second seconds minute minutes hour hours millisecond milliseconds microsecond microseconds nanosecond nanoseconds
  volt volts ampere amperes amp amps watt watts hertz pascal pascals newton newtons joule joules kelvin celsius fahrenheit
  meter meters metre metres kilometer kilometers millimeter millimeters centimeter centimeters gram grams kilogram kilograms liter liters litre litres
  degree degrees percent radian radians ohm ohms farad henry tesla bytes bits
  Sekunde Sekunden Minute Minuten Stunde Stunden Grad Prozent Meter Gramm Liter`.split(/\s+/),
);
const LOWERED = new Set([...WORDS].filter((word) => word.length > 3).map((word) => word.toLowerCase()));

/** The unit that a cell consists of, without the brackets around it: `(ms)` is `ms`; undefined if it is none that is known. */
export function unitOf(cell: string): string | undefined {
  const text = cell.trim();
  if (text.length === 0 || text.length > 24) return undefined;
  const inner = /^\((.+)\)$|^\[(.+)\]$|^\{(.+)\}$|^<(.+)>$/.exec(text);
  const unit = (inner?.[1] ?? inner?.[2] ?? inner?.[3] ?? inner?.[4] ?? text).trim();
  return isKnown(unit) ? unit : undefined;
}

export const isUnit = (cell: string): boolean => unitOf(cell) !== undefined;

function isKnown(unit: string): boolean {
  if (PREFIXED.test(unit) || WORDS.has(unit) || LOWERED.has(unit.toLowerCase())) return true;
  if (/^deg ?[CFK]$/i.test(unit) || /^° ?[CFK]$/.test(unit)) return true;
  if (!/[/*·^]/.test(unit) || unit.length > 16) return false;
  // A compound such as `kg/m^3` or `N*m`: each part a unit, with an exponent.
  return unit.split(/[/*·]/).every((part) => isSimple(part.replace(/\^?-?[\d²³]+$/, "")) || part === "1");
}

const isSimple = (part: string) => PREFIXED.test(part) || (part.length > 0 && WORDS.has(part));

/** The unit that a name ends in: `temp [°C]`, `power (W)`, `Time[s]`. */
export function unitInName(name: string): string | undefined {
  const brackets = /[^\s([](?:\s*)(\([^()]+\)|\[[^[\]]+\])\s*$/.exec(name);
  return brackets?.[1] === undefined ? undefined : unitOf(brackets[1]);
}
