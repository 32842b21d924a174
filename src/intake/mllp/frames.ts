// MLLP framing: 0x0B, message, 0x1C 0x0D, wherever the network cut it. No I/O.

const START = 0x0b;
const END = 0x1c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** What a stream of bytes turned out to hold. */
export type Frame =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** Longer than the limit: its first bytes (for MSH) and its length; the rest was dropped as it came. */
  | { readonly kind: 'too-long'; readonly head: Uint8Array; readonly length: number }
  /** It was not ended before another began or the connection closed. */
  | { readonly kind: 'cut'; readonly bytes: Uint8Array };

export interface FrameDecoder {
  /** Frames completed by this chunk, in order. */
  push(chunk: Uint8Array): Frame[];
  /** The frame that has begun, as far as it came: whole when only its last byte (0x0D) is missing. */
  end(): Frame | undefined;
  /** Bytes of the frame that has begun and not ended; 0 between frames. */
  readonly pending: number;
  /** True when of the frame that has begun only the last byte is missing, which some senders never send. */
  readonly isEnded: boolean;
  /** Bytes seen outside frames so far. */
  readonly ignored: number;
}

/** How much of a too long message is kept, enough to read MSH. */
const HEAD = 4096;

/** @param limit bytes a message may have */
export function createFrameDecoder(limit: number): FrameDecoder {
  let ignored = 0;
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
  const finish = (kind: 'message' | 'cut'): Frame => {
    inside = false;
    endSeen = false;
    const bytes = Buffer.concat(kept);
    kept = [];
    return length > limit ? { kind: 'too-long', head: bytes.subarray(0, HEAD), length } : { kind, bytes };
  };

  return {
    get ignored() {
      return ignored;
    },
    get pending() {
      return inside ? length + 1 : 0;
    },
    get isEnded() {
      return inside && endSeen;
    },
    end() {
      return inside ? finish(endSeen ? 'message' : 'cut') : undefined;
    },
    push(chunk) {
      const frames: Frame[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (!inside) {
          const start = chunk.indexOf(START, at);
          ignored += (start < 0 ? chunk.length : start) - at;
          if (start < 0) break;
          begin();
          at = start + 1;
          continue;
        }
        if (endSeen) {
          const next = chunk[at];
          if (next === CARRIAGE_RETURN || next === LINE_FEED || next === START) {
            frames.push(finish('message'));
            // The start of the next one is read again, between frames.
            if (next !== START) at += 1;
            continue;
          }
          endSeen = false;
          keep(Uint8Array.of(END));
        }
        const stop = nextMark(chunk, at);
        keep(chunk.subarray(at, stop));
        at = stop;
        if (at >= chunk.length) break;
        if (chunk[at] === START) {
          // The sender gave up and began again: what came before will never be completed.
          if (length > 0) frames.push(finish('cut'));
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
