// MLLP framing: 0x0B, message, 0x1C 0x0D, wherever the network cut it. No I/O.

const START = 0x0b;
const END = 0x1c;
const CARRIAGE_RETURN = 0x0d;

/** What a stream of bytes turned out to hold. */
export type Frame =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** Longer than the limit: its first bytes (for MSH) and its length; the rest was dropped as it came. */
  | { readonly kind: 'too-long'; readonly head: Uint8Array; readonly length: number };

export interface FrameDecoder {
  /** Frames completed by this chunk, in order. */
  push(chunk: Uint8Array): Frame[];
  /** Bytes of the frame that has begun and not ended; 0 between frames. */
  readonly pending: number;
  /** Bytes seen outside frames so far, and frames cut off by the start of another. */
  readonly ignored: { bytes: number; frames: number };
}

/** How much of a too long message is kept, enough to read MSH. */
const HEAD = 4096;

/** @param limit bytes a message may have */
export function createFrameDecoder(limit: number): FrameDecoder {
  const ignored = { bytes: 0, frames: 0 };
  let inside = false;
  let endSeen = false;
  let length = 0;
  let kept: Uint8Array[] = [];
  let keptLength = 0;

  const begin = () => {
    inside = true;
    endSeen = false;
    length = 0;
    kept = [];
    keptLength = 0;
  };
  const keep = (part: Uint8Array) => {
    length += part.length;
    const room = length > limit ? Math.max(0, HEAD - keptLength) : part.length;
    if (room === 0) return;
    const copy = Uint8Array.prototype.slice.call(part, 0, room);
    kept.push(copy);
    keptLength += copy.length;
  };
  const finish = (): Frame => {
    inside = false;
    const bytes = Buffer.concat(kept);
    kept = [];
    return length > limit
      ? { kind: 'too-long', head: bytes.subarray(0, HEAD), length }
      : { kind: 'message', bytes: new Uint8Array(bytes) };
  };

  return {
    ignored,
    get pending() {
      return inside ? length + 1 : 0;
    },
    push(chunk) {
      const frames: Frame[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (!inside) {
          const start = chunk.indexOf(START, at);
          ignored.bytes += (start < 0 ? chunk.length : start) - at;
          if (start < 0) break;
          begin();
          at = start + 1;
          continue;
        }
        if (endSeen) {
          endSeen = false;
          if (chunk[at] === CARRIAGE_RETURN) {
            frames.push(finish());
            at += 1;
            continue;
          }
          keep(Uint8Array.of(END));
        }
        const stop = nextMark(chunk, at);
        keep(chunk.subarray(at, stop));
        at = stop;
        if (at >= chunk.length) break;
        if (chunk[at] === START) {
          // The sender gave up and began again: what came before will never be completed.
          ignored.frames += 1;
          begin();
        } else {
          endSeen = true;
        }
        at += 1;
      }
      return frames;
    },
  };
}

/** A message in its frame, ready for the wire. */
export function frameMessage(message: string | Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(START), Buffer.from(message), Buffer.of(END, CARRIAGE_RETURN)]);
}

function nextMark(chunk: Uint8Array, from: number): number {
  const end = chunk.indexOf(END, from);
  const start = chunk.indexOf(START, from);
  if (end < 0 && start < 0) return chunk.length;
  return end < 0 ? start : start < 0 ? end : Math.min(end, start);
}
