// A stable sort of row numbers that lets others have their turn: a million rows are sorted in the background, and given up at once if
// they are not wanted any more.

/** Resolves when the sort may go on; false gives it up. Called often: it decides itself whether it is time to breathe. */
export type Breath = () => Promise<boolean> | boolean;

const RUN = 16;
const STEPS_PER_BREATH = 1 << 13;

/** Sorts in place, equal ones in the order they have. False if it was given up; the order is then of no use. */
export async function sortStably(
  order: Uint32Array<ArrayBuffer>,
  compare: (a: number, b: number) => number,
  breathe: Breath,
): Promise<boolean> {
  const length = order.length;
  let steps = 0;
  for (let at = 0; at < length; at += RUN) {
    insertionSort(order, at, Math.min(at + RUN, length), compare);
    steps += RUN;
    if (steps % STEPS_PER_BREATH < RUN && !(await breathe())) return false;
  }
  let from = order;
  let to = new Uint32Array(length);
  for (let width = RUN; width < length; width *= 2) {
    for (let low = 0; low < length; low += 2 * width) {
      const middle = Math.min(low + width, length);
      const end = Math.min(low + 2 * width, length);
      if (middle === end || compare(from[middle - 1]!, from[middle]!) <= 0) {
        to.set(from.subarray(low, end), low);
        continue;
      }
      let a = low;
      let b = middle;
      for (let k = low; k < end; k++) {
        const takesFirst = a < middle && (b >= end || compare(from[a]!, from[b]!) <= 0);
        to[k] = takesFirst ? from[a++]! : from[b++]!;
        if (++steps % STEPS_PER_BREATH === 0 && !(await breathe())) return false;
      }
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
  return true;
}

function insertionSort(order: Uint32Array, from: number, to: number, compare: (a: number, b: number) => number): void {
  for (let i = from + 1; i < to; i++) {
    const row = order[i]!;
    let k = i;
    for (; k > from && compare(order[k - 1]!, row) > 0; k--) order[k] = order[k - 1]!;
    order[k] = row;
  }
}
