// Chance that can be had again, from a seed (Numerical Recipes' generator).

export type Chance = ReturnType<typeof openChance>;

export function openChance(seed: number) {
  let state = seed >>> 0;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return { below, of: <T>(items: readonly T[]): T => items[below(items.length)]! };
}
