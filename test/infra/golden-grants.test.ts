import { beforeAll, describe, expect, it } from 'vitest';
import { allDeployments, type Deployment } from './deployments.ts';
import { goldenGrants } from './golden-grants.ts';
import { rolesOf, type Statement } from './policy.ts';
import { at, named, put } from './rule.ts';

let deployments: Deployment[];

beforeAll(async () => {
  deployments = await allDeployments();
}, 60_000);

describe('every role of the templates', () => {
  it('is granted what the reviewed list says, exactly, in each stage and profile', () => {
    for (const d of deployments) expect({ [d.name]: grantsIn(d) }).toEqual({ [d.name]: goldenIn(d) });
  });

  it('has no grant outside of what was reviewed: no policy of AWS or of another stack', () => {
    const foreign = deployments.flatMap((d) => rolesOf(d).flatMap((rights) => rights.foreign));
    expect(foreign).toEqual([]);
  });
});

describe('a difference is noticed', () => {
  const first = 'Policies.0.PolicyDocument.Statement.0';

  it.each([
    ['an action more', `${first}.Action`, ['dynamodb:GetItem', 'dynamodb:Scan', 'dynamodb:UpdateItem']],
    ['an action less', `${first}.Action`, 'dynamodb:GetItem'],
    ['another resource', `${first}.Resource`, 'arn:aws:dynamodb:eu-central-1:111122223333:table/other'],
    ['one policy less', 'Policies', []],
  ])('%s', (_, path, value) => {
    const planted = structuredClone(deployments[0] as Deployment);
    const role = named(planted, 'AWS::IAM::Role', 'AgentRole');
    expect(role && at(role, path)).toBeDefined();
    put(role, path, value);
    expect(grantsIn(planted)).not.toEqual(goldenIn(planted));
  });

  it('a role more', () => {
    const planted = structuredClone(deployments[0] as Deployment);
    const role = named(planted, 'AWS::IAM::Role', 'AgentRole');
    planted.resources.push({ ...(role as object as Deployment['resources'][number]), id: 'Planted' });
    expect(grantsIn(planted)).not.toEqual(goldenIn(planted));
  });
});

function goldenIn(d: Deployment): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(goldenGrants)
      // A role with nothing in the lean profile is not there.
      .filter(([, { always }]) => always.length > 0 || d.profile === 'full')
      .map(([role, { always, inFull }]) => [
        role,
        [...always, ...(d.profile === 'full' ? inFull : [])]
          .map((grant) => grant.replace('{stage}', d.stage))
          .sort(),
      ]),
  );
}

/** By stack and logical id, without the hash at its end. */
function grantsIn(d: Deployment): Record<string, string[]> {
  return Object.fromEntries(
    rolesOf(d).map(({ role, granted }) => [
      `${role.stack.replace(/^ai-employee-(dev|prod)-/, '')} ${role.id.replace(/[0-9A-F]{8}$/, '')}`,
      granted.flatMap(grantsOf).sort(),
    ]),
  );
}

function grantsOf(statement: Statement): string[] {
  const { Effect, Action, Resource, Condition, NotAction, NotResource } = statement;
  // Nothing that this list does not have a form for may pass as nothing.
  if (Effect !== 'Allow' || !Action || !Resource || NotAction || NotResource) {
    return [JSON.stringify(statement)];
  }
  const conditions = Object.entries(Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, value]) => `${operator} ${key} ${[value].flat().join(' or ')}`),
  );
  const when = conditions.length === 0 ? '' : ` if ${conditions.join(' and ')}`;
  return Action.flatMap((action) => Resource.map((resource) => `${action} on ${short(resource)}${when}`));
}

/** A resource's ARN without account, stack prefix and the hash at the end of its logical id. */
function short(arn: string): string {
  return arn
    .replace(/^arn:aws:[a-z0-9-]+:[^:]*:[^:]*:/, '')
    .replace(/ai-employee-(dev|prod)-(storage|mail|pipeline|operations)-/, '')
    .replace(/^([a-z-]*[/:]?[a-z]+?)[0-9a-f]{8}(-AbCdEf)?(?=$|[/:])/, '$1');
}
