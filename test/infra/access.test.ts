import { beforeAll, describe, expect, it } from 'vitest';
import { accessRules, agentOf } from './access-rules.ts';
import { caCertificate } from './certificates.ts';
import { type Deployment, deploymentsOf } from './deployments.ts';
import { outwardActions } from './outward-actions.ts';
import { covers } from './policy.ts';
import { account } from './resolve.ts';
import { at, named, ofType, put } from './rule.ts';

let byMfa: Deployment;
let bySecondUser: Deployment;
let byCertificate: Deployment;

beforeAll(async () => {
  const base = { stage: 'prod', profile: 'full' } as const;
  const found = await deploymentsOf([
    base,
    { ...base, agentPrincipal: 'user/anna' },
    {
      ...base,
      agentTrust: 'roles-anywhere',
      agentCaCertificate: caCertificate,
      agentCertificateName: 'laptop',
    },
  ]);
  [byMfa, bySecondUser, byCertificate] = found as [Deployment, Deployment, Deployment];
}, 60_000);

/** What the agent may do although the cloud zone may not: send what was approved, clear up what nobody names. */
const own = ['ses:SendRawEmail', 's3:DeleteObject'];
const others = Object.entries(outwardActions).flatMap(([harm, actions]) =>
  actions.filter((action) => !own.includes(action)).map((action) => ({ harm, action })),
);

describe('the agent’s role', () => {
  it.each(others)('may not $harm by $action, and its boundary denies it on everything', ({ action }) => {
    const { granted, boundary = [] } = agentOf(byMfa);
    expect(granted.filter((s) => s.Effect === 'Allow' && covers(s, action))).toEqual([]);
    const denied = boundary.filter(
      (s) => s.Effect === 'Deny' && covers(s, action) && s.Resource?.includes('*') === true && !s.Condition,
    );
    expect(denied).toHaveLength(1);
  });

  it.each(own)('may do its own %s, which its boundary lets through', (action) => {
    const { granted, boundary = [] } = agentOf(byMfa);
    expect(granted.filter((s) => covers(s, action))).toHaveLength(1);
    expect(boundary.filter((s) => covers(s, action)).map(({ Effect }) => Effect)).toEqual(['Allow']);
  });

  it.each(['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'iam:PassRole'])(
    'has nothing to do with %s, and its boundary denies it',
    (action) => {
      const { granted, boundary = [] } = agentOf(byMfa);
      expect(granted.some((s) => covers(s, action))).toBe(false);
      expect(boundary.some((s) => s.Effect === 'Deny' && covers(s, action))).toBe(true);
    },
  );

  it('has a boundary that is small enough for IAM, lets its grants through, and changes no ledger entry', () => {
    const { granted, boundary = [] } = agentOf(byMfa);
    // 6,144 characters without white space; names are longer in AWS, by a random part each.
    expect(JSON.stringify(boundary).length).toBeLessThan(5_800);
    const allowed = boundary.filter(({ Effect }) => Effect === 'Allow');
    for (const { Sid: _sid, ...statement } of granted) {
      expect(allowed.map(({ Sid: _other, ...rest }) => rest)).toContainEqual(statement);
    }
    const ledger = boundary.filter((s) => s.Effect === 'Deny' && covers(s, 'dynamodb:UpdateItem'));
    expect(ledger.map(({ Resource }) => Resource?.[0])).toEqual([expect.stringMatching(/:table\/.*ledger/)]);
  });
});

describe('who may take it', () => {
  it('is any identity of the account with a second factor, where nobody is named', () => {
    expect(agentOf(byMfa).trust.map(({ Principal }) => Principal)).toEqual([
      { AWS: [`arn:aws:iam::${account}:root`] },
    ]);
  });

  it('is the user that the settings name', () => {
    expect(agentOf(bySecondUser).trust.map(({ Principal }) => Principal)).toEqual([
      { AWS: [`arn:aws:iam::${account}:user/anna`] },
    ]);
  });

  it('is a certificate of the anchor made for it, through a profile for this role alone', () => {
    const service = { Service: ['rolesanywhere.amazonaws.com'] };
    expect(agentOf(byCertificate).trust.map(({ Principal, Action }) => [Principal, Action])).toEqual([
      [service, ['sts:AssumeRole']],
      // What the certificate says comes along with the session.
      [service, ['sts:SetSourceIdentity', 'sts:TagSession']],
    ]);
    const [anchor] = ofType(byCertificate, 'AWS::RolesAnywhere::TrustAnchor');
    const [profile] = ofType(byCertificate, 'AWS::RolesAnywhere::Profile');
    expect(anchor && at(anchor, 'Source.SourceData.X509CertificateData')).toBe(caCertificate.trim());
    expect(profile && at(profile, 'RoleArns')).toEqual([byCertificate.allOutputs['AgentRoleArn']]);
    expect(byCertificate.allOutputs).toMatchObject({
      AgentTrustAnchorArn: expect.stringMatching(/:trust-anchor\//) as string,
      AgentProfileArn: expect.stringMatching(/:profile\//) as string,
    });
  });

  it.each(accessRules)('by certificate: $name', ({ problems }) => {
    expect(problems(byCertificate)).toEqual([]);
  });

  it.each([
    ['without the anchor’s ARN', 'Statement.0.Condition.ArnEquals', undefined],
    ['for any certificate of the authority', 'Statement.0.Condition.StringEquals', undefined],
    [
      'for certificates named otherwise',
      'Statement.0.Condition.StringEquals.aws:PrincipalTag/x509Subject/CN',
      '*',
    ],
    ['for another service too', 'Statement.0.Principal', { Service: 'lambda.amazonaws.com' }],
    ['for more actions', 'Statement.0.Action', ['sts:AssumeRole', 'sts:AssumeRoleWithSAML']],
  ])('by certificate, a trust %s is noticed', (_, path, value) => {
    expect(problemsAfter(byCertificate, `AssumeRolePolicyDocument.${path}`, value)).not.toEqual([]);
  });

  it.each([
    ['without an age', 'Statement.0.Condition.NumericLessThanEquals', undefined],
    ['with an age of a day', 'Statement.0.Condition.NumericLessThanEquals.aws:MultiFactorAuthAge', '86400'],
    ['without a second factor', 'Statement.0.Condition.Bool', undefined],
    ['for another account', 'Statement.0.Principal.AWS', 'arn:aws:iam::999999999999:root'],
    ['for everybody', 'Statement.0.Principal.AWS', '*'],
    ['for nobody', 'Statement', []],
  ])('by second factor, a trust %s is noticed', (_, path, value) => {
    expect(problemsAfter(byMfa, `AssumeRolePolicyDocument.${path}`, value)).not.toEqual([]);
  });
});

function problemsAfter(d: Deployment, path: string, value: Parameters<typeof put>[2]): string[] {
  const planted = structuredClone(d);
  put(named(planted, 'AWS::IAM::Role', 'AgentRole'), path, value);
  return accessRules.flatMap(({ problems }) => problems(planted));
}
