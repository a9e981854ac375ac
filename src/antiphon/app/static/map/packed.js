// Binary answers of the map: a JSON text with its length before it, then the arrays it lists.

import { api } from "../frame/api.js";

const KINDS = { f4: Float32Array, u1: Uint8Array };

export async function packed(path, asked) {
  const response = await api("GET", `/map/${path}?${new URLSearchParams(asked)}`);
  return unpack(await response.arrayBuffer());
}

export function unpack(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  let at = 4 + size;
  for (const { name, dtype, count } of facts.arrays) {
    const values = new KINDS[dtype](buffer, at, count);
    facts[name] = values;
    at += Math.ceil(values.byteLength / 4) * 4;
  }
  return facts;
}
