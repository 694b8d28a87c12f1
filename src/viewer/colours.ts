// The colours of lines. A line keeps its own as long as it is drawn, whatever comes and goes beside it. Pure.

/** On white, and on a dark page: all at 3:1 or more (WCAG 2.2, 1.4.11). */
export const COLOURS = ["#2563eb", "#c9511f", "#0f8265", "#a347c9", "#946a00", "#d13f6b", "#4b7f1f", "#6a6f7a"];
export const DARK_COLOURS = ["#7aa8ff", "#ff9a6c", "#4fd1a8", "#d18bff", "#f2c14e", "#ff84a8", "#9ed36a", "#b3bac6"];

/** A place for each name, which it keeps as long as it is asked for. */
export function openPlaces(count: number): (names: readonly string[]) => number[] {
  let places = new Map<string, number>();
  return (names) => {
    places = new Map([...places].filter(([name]) => names.includes(name)));
    for (const name of names) {
      if (places.has(name)) continue;
      const taken = new Set(places.values());
      const free = Array.from({ length: count }, (_, place) => place).find((place) => !taken.has(place));
      places.set(name, free ?? places.size % count);
    }
    return names.map((name) => places.get(name)!);
  };
}
