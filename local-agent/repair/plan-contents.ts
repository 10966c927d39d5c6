import { ringOf } from '#protocol/vault-path.ts';
import type { Agent } from '../agent.ts';
import { scanVault } from '../sync/scan.ts';
import type { Problem } from '../verify/problem.ts';
import type { BadContent } from '../verify/verify-contents.ts';
import { LOSS_CODE } from '../verify/verify-ledger.ts';
import type { LedgerProof } from '../verify/verify-ledger.ts';
import { placeOf } from '../verify/wanted-contents.ts';
import type { WantedContent } from '../verify/wanted-contents.ts';
import { findBytes, objectOf, putBack } from './put-back.ts';
import type { Repair, RepairPlan } from './repair.ts';

/**
 * Plans to put stored contents back whose bytes this disk still has, or that are stored a second time
 * elsewhere. What exists nowhere here is left, unless a person accepts that it is lost.
 */
export async function planContents(
  agent: Agent,
  bad: readonly BadContent[],
  stored: LedgerProof['stored'],
  acceptLoss: readonly string[],
): Promise<RepairPlan> {
  const repairs: Repair[] = [];
  const left: Problem[] = [];
  if (bad.length === 0) return { repairs, left };
  const onDisk = new Map([...(await scanVault(agent)).files].map(([path, hash]) => [hash, path]));
  const badPlaces = new Set(bad.map(({ content }) => placeOf(content)));
  const elsewhere = new Map<string, WantedContent>();
  for (const wanted of stored.values()) {
    if (!badPlaces.has(placeOf(wanted.content))) elsewhere.set(wanted.content.sha256, wanted);
  }
  const accepted = new Set(acceptLoss);
  const objects = new Map<string, BadContent[]>();
  for (const one of bad) {
    const { sha256 } = one.content;
    const found = onDisk.has(sha256) || elsewhere.has(sha256);
    const object = objectOf(one.content);
    if (found && object !== undefined) {
      const mates = objects.get(object) ?? [];
      objects.set(object, mates);
      mates.push(one);
    } else if (accepted.has(sha256)) repairs.push(planLoss(one));
    else left.push({ ...one.problem, fix: adviceFor(one) });
  }
  for (const [object, missing] of objects) {
    const paths = missing.map(({ of }) => of);
    repairs.push({
      code: 'contents',
      paths,
      what: `store the contents of ${paths.join(', ')} again`,
      why: missing.map(({ problem }) => problem.message).join('; '),
      keeps: 'whatever else is stored with them, byte for byte; the hash is checked before',
      recordAs: `contents ${object}`,
      act: async (now) => {
        const wanted = [];
        for (const one of missing) {
          const bytes = await findBytes(now, one.content.sha256, onDisk, elsewhere);
          if (bytes) wanted.push({ ...one, bytes });
        }
        await putBack(now, object, wanted);
      },
    });
  }
  return { repairs, left };
}

/** A person says that nobody has the bytes any more. A file of that content is gone then, for everybody. */
function planLoss({ content, of, problem }: BadContent): Repair {
  const { sha256 } = content;
  return {
    code: 'content-lost',
    paths: [of],
    what: `write down that the contents ${sha256} of ${of} are lost`,
    why: problem.message,
    keeps: 'the entries that name them',
    recordAs: `${LOSS_CODE}${sha256}`,
    act: async (agent) => {
      const ring = ringOf(of);
      await agent.session.append(({ files }) =>
        files.get(of)?.content.sha256 === sha256
          ? { ring, body: { kind: 'files', changes: [{ op: 'delete', path: of, base: sha256 }] } }
          : undefined,
      );
    },
  };
}

function adviceFor({ content }: BadContent): string {
  return (
    'its bytes are not on this disk: run "employee repair" on each of your machines; if none has them, ' +
    `"employee repair --accept-loss ${content.sha256}" writes the loss down`
  );
}
