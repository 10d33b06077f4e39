/** Packing one bit at a time: slow, and short enough to be seen to be right. */

export function slowPack(words: Uint32Array, bits: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil((words.length * bits) / 8));
  words.forEach((word, i) => {
    for (let bit = 0; bit < bits; bit++) {
      const position = i * bits + bit;
      const value = Math.floor(word / 2 ** bit) % 2;
      packed[Math.floor(position / 8)]! += value * 2 ** (position % 8);
    }
  });
  return packed;
}

export function slowUnpack(packed: Uint8Array, count: number, bits: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => {
    let word = 0;
    for (let bit = 0; bit < bits; bit++) {
      const position = i * bits + bit;
      word += (Math.floor(packed[Math.floor(position / 8)]! / 2 ** (position % 8)) % 2) * 2 ** bit;
    }
    return word;
  });
}
