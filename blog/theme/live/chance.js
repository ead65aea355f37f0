// Random numbers that are the same for the same seed, in every browser.

/** Numbers from 0 up to 1: mulberry32 (Tommy Ettinger, public domain), 32 bits of state. */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normally distributed numbers from uniform ones, by Box and Muller's transformation. */
export function normal(draw) {
  return () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}

/** A whole number of people's size, for a new seed. */
export function newSeed() {
  return 1 + Math.floor(Math.random() * 9998);
}

/** A seed that was typed or came with an address; 1 if it is none. */
export function readSeed(text) {
  const seed = Number(text);
  return Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32 ? seed : 1;
}
