/**
 * Cuts a stream of bytes into lines of text, in time linear in its length whatever the sizes of the chunks.
 *
 * @param maxLineBytes above it the rest of the stream is of no use
 * @returns takes a chunk; `false` once a line was too long
 */
export function createLineReader(
  maxLineBytes: number,
  onLine: (line: string) => void,
): (chunk: Buffer) => boolean {
  let pieces: Buffer[] = [];
  let sizeBytes = 0;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      pieces.push(chunk.subarray(start, end));
      const line = Buffer.concat(pieces);
      if (line.length > maxLineBytes) return false;
      pieces = [];
      sizeBytes = 0;
      start = end + 1;
      onLine(line.toString('utf8').replace(/\r$/, ''));
    }
    if (start < chunk.length) {
      pieces.push(chunk.subarray(start));
      sizeBytes += chunk.length - start;
    }
    return sizeBytes <= maxLineBytes;
  };
}
