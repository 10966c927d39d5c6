import { describe, expect, it } from 'vitest';
import type { LocalFunction } from '#local-cloud/functions.ts';
import { StreamSource } from '#local-cloud/stream-sources.ts';

interface Handed {
  Records: { eventName: string; dynamodb: { SequenceNumber: string; Keys: object; NewImage: object } }[];
}

/** A stream whose function answers what it is told to, batch by batch; then nothing. */
function stream(answers: ((batch: Handed) => unknown)[], batchSize = 2) {
  const batches: Handed[] = [];
  const target = {
    invoke: async (event: unknown) => {
      const batch = event as Handed;
      batches.push(batch);
      return answers.shift()?.(batch);
    },
  } as unknown as LocalFunction;
  const mapping = { functionName: 'f', tableName: 't', streamArn: 'arn', batchSize, reportsFailures: true };
  const source = new StreamSource({ mapping, keys: ['n'], region: 'x', target, log: () => undefined });
  const put = (n: number): void =>
    source.take({ table: 't', eventName: 'INSERT', image: { n: { N: String(n) }, what: { S: 'x' } } });
  const handed = (): string[] =>
    batches.map(({ Records }) =>
      Records.map(({ dynamodb }) => (dynamodb.Keys as { n: { N: string } }).n.N).join(),
    );
  return { source, put, handed, batches };
}

describe('the stream of a table', () => {
  it('hands changes over in their order, in batches, with keys and new image', async () => {
    const { source, put, handed, batches } = stream([]);
    for (const n of [1, 2, 3, 4, 5]) put(n);
    expect(source.running).toBe(5);
    await source.drained();
    expect(handed()).toEqual(['1,2', '3,4', '5']);
    expect(source.running).toBe(0);
    expect(batches[0]?.Records[0]).toMatchObject({
      eventName: 'INSERT',
      eventSource: 'aws:dynamodb',
      dynamodb: { Keys: { n: { N: '1' } }, NewImage: { n: { N: '1' }, what: { S: 'x' } } },
    });
  });

  it('begins again at the first change that is reported as failed', async () => {
    const second = ({ Records }: Handed) => ({
      batchItemFailures: [{ itemIdentifier: Records[1]?.dynamodb.SequenceNumber }],
    });
    const { source, put, handed } = stream([second]);
    for (const n of [1, 2, 3]) put(n);
    await source.drained();
    expect(handed()).toEqual(['1,2', '2,3']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['reports what was not in the batch', () => ({ batchItemFailures: [{ itemIdentifier: 'x' }] })],
  ])('hands the same batch over again to a function that %s', async (_name, answer) => {
    const { source, put, handed } = stream([answer]);
    for (const n of [1, 2]) put(n);
    await source.drained();
    expect(handed()).toEqual(['1,2', '1,2']);
  });

  it('leaves what fails once it was stopped', async () => {
    const { source, put, handed } = stream([
      () => {
        throw new Error('no');
      },
    ]);
    put(1);
    source.stop();
    put(2);
    await source.drained();
    expect(handed()).toEqual(['1']);
  });
});
