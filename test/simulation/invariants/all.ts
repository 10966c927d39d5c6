import type { World } from '../world/world.ts';
import type { Auditor } from './auditor.ts';
import { auditClaims } from './claims.ts';
import { auditCuts } from './cuts.ts';
import { auditEffects } from './effects.ts';
import { auditGarbage } from './garbage.ts';
import { auditKeys } from './keys.ts';
import { auditLedger } from './ledger.ts';
import { auditMails } from './mails.ts';
import { auditOwners } from './owners.ts';
import { auditProof } from './proof.ts';
import { auditSecrets } from './secrets.ts';
import { auditTrees } from './trees.ts';
import { auditVersions } from './versions.ts';
import { auditWills } from './wills.ts';
import { Witness } from './witness.ts';

/** Everything that is checked, the same for every world. */
export function makeAuditors(world: World): Auditor[] {
  const witness = new Witness(world);
  return [
    auditEffects(world, witness),
    auditWills(world, witness),
    auditLedger(world, witness),
    auditCuts(world, witness),
    auditOwners(world, witness),
    auditClaims(world),
    auditGarbage(world, witness),
    auditKeys(world, witness),
    auditSecrets(world),
    auditMails(world, witness),
    auditTrees(world, witness),
    auditVersions(world, witness),
    auditProof(world, witness),
  ];
}
