import { beforeAll, describe, expect, it } from 'vitest';
import { allDeployments, type Deployment, type Resource } from './deployments.ts';
import { outwardActions } from './outward-actions.ts';
import { covers, type RoleRights, rolesOf, type Statement } from './policy.ts';
import { SECRET, secretArn } from './rotation-rules.ts';
import { ofType, sameJson } from './rule.ts';

let deployments: Deployment[];
let roles: { deployment: string; rights: RoleRights }[];

beforeAll(async () => {
  deployments = await allDeployments();
  roles = deployments.flatMap((d) =>
    rolesOf(d)
      // Besides, there are the agent's role, for which access.test.ts is (it sends what was approved), and the roles
      // that AWS Backup takes, for which operations-rules.ts is.
      .filter(({ role }) => !/-(access|operations)$/.test(role.stack))
      .map((rights) => ({ deployment: d.name, rights })),
  );
}, 60_000);

/** What one role may do all the same, with its own secret and no other. */
const rotation: readonly string[] = [
  'secretsmanager:PutSecretValue',
  'secretsmanager:UpdateSecretVersionStage',
];
const mayRotate = (role: Resource, action: string): boolean =>
  role.id.startsWith('RotateRole') && rotation.includes(action);

const actions = Object.entries(outwardActions).flatMap(([harm, list]) =>
  list.map((action) => ({ harm, action })),
);

describe('the cloud zone only drafts', () => {
  it('has the roles that this test is about: triage, draft, rotation and archive in each stage and profile', () => {
    expect(
      roles.map(({ deployment, rights }) => `${deployment} ${rights.role.id.replace(/Role.*/, '')}`),
    ).toEqual(
      ['dev lean', 'dev full', 'prod lean', 'prod full'].flatMap((name) => [
        `${name} Triage`,
        `${name} Draft`,
        `${name} Rotate`,
        `${name} Archive`,
      ]),
    );
  });

  it.each(actions)('no role may $harm: $action', ({ action }) => {
    const able = roles.filter(
      ({ rights }) => permitted(rights.granted, action) && !mayRotate(rights.role, action),
    );
    expect(able.map(({ deployment, rights }) => `${deployment} ${rights.role.id}`)).toEqual([]);
  });

  it.each(actions)('the boundary of each role denies it on everything: $action', ({ action }) => {
    for (const { deployment, rights } of roles) {
      const denies = (rights.boundary ?? []).filter(
        (statement) =>
          statement.Effect === 'Deny' &&
          covers(statement, action) &&
          (mayRotate(rights.role, action)
            ? sameJson(statement.NotResource, secretOf(deployment))
            : statement.Resource?.includes('*') === true),
      );
      expect(
        denies.map(({ Condition }) => Condition),
        rights.role.id,
      ).toEqual([undefined]);
    }
  });

  it('rotation may write one secret, its own, and read no other', () => {
    for (const { deployment, rights } of roles.filter(({ rights: { role } }) =>
      role.id.startsWith('Rotate'),
    )) {
      const secrets = rights.granted.filter(({ Action = [] }) => Action.some((a) => /^secretsm/i.test(a)));
      expect(secrets.map(({ Resource }) => Resource)).toEqual([secretOf(deployment)]);
    }
  });

  it('each role has a boundary, no managed policy from outside, and can be assumed by Lambda alone', () => {
    for (const { rights } of roles) {
      expect(rights.boundary).toBeDefined();
      expect(rights.foreign).toEqual([]);
      expect(rights.trust).toEqual([
        { Effect: 'Allow', Action: ['sts:AssumeRole'], Principal: { Service: ['lambda.amazonaws.com'] } },
      ]);
    }
  });

  it('the boundary keeps every role from changing an entry of the ledger', () => {
    for (const { rights } of roles) {
      const ledger = (rights.boundary ?? []).filter(
        (s) => s.Effect === 'Deny' && covers(s, 'dynamodb:UpdateItem'),
      );
      expect(ledger).toHaveLength(1);
      expect(ledger[0]?.Resource?.[0]).toMatch(/:table\/.*ledger/);
    }
  });

  it('the boundary is small enough for IAM to accept it', () => {
    for (const { rights } of roles) {
      // 6,144 characters without white space; names are longer in AWS, by a random part each.
      expect(JSON.stringify(rights.boundary).length).toBeLessThan(5_700);
    }
  });

  it('everything a role is granted, its boundary lets through', () => {
    for (const { rights } of roles) {
      for (const granted of rights.granted) {
        for (const action of granted.Action ?? []) {
          for (const resource of granted.Resource ?? []) {
            const through = (rights.boundary ?? []).some(
              (s) => s.Effect === 'Allow' && covers(s, action) && s.Resource?.includes(resource) === true,
            );
            expect(through, `${action} on ${resource}`).toBe(true);
          }
        }
      }
    }
  });
});

describe('the check itself', () => {
  it.each([
    ['the action by name', { Action: ['ses:SendEmail'] }],
    ['the action in other letter case', { Action: ['SES:sendemail'] }],
    ['a prefix', { Action: ['ses:Send*'] }],
    ['a single-character wildcard', { Action: ['ses:SendEmai?'] }],
    ['a whole service', { Action: ['ses:*'] }],
    ['everything', { Action: ['*'] }],
    ['all but something else', { NotAction: ['s3:*'] }],
    [
      'a condition that somebody can meet',
      { Action: ['ses:*'], Condition: { StringEquals: { 'ses:FromAddress': 'x' } } },
    ],
  ])('sees a grant by %s', (_, fields: Partial<Statement>) => {
    expect(permitted([{ Effect: 'Allow', Resource: ['*'], ...fields }], 'ses:SendEmail')).toBe(true);
  });

  it.each([
    ['a denial', { Effect: 'Deny', Action: ['ses:*'] }],
    ['another action of the service', { Effect: 'Allow', Action: ['ses:GetSendQuota'] }],
    ['all but this service', { Effect: 'Allow', NotAction: ['ses:*'] }],
  ] satisfies [string, Statement][])('takes %s for no grant', (_, statement) => {
    expect(permitted([statement], 'ses:SendEmail')).toBe(false);
  });
});

/** The only secret of a deployment, by its ARN. */
function secretOf(name: string): string[] {
  const secrets = deployments.filter((d) => d.name === name).flatMap((d) => ofType(d, SECRET));
  return secrets.map(secretArn);
}

function permitted(statements: readonly Statement[], action: string): boolean {
  return statements.some((statement) => statement.Effect === 'Allow' && covers(statement, action));
}
