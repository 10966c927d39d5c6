import type { Deployment, Resource } from './deployments.ts';
import { rolesOf, type RoleRights } from './policy.ts';
import { account, region } from './resolve.ts';
import { at, named, nameOf, ofType, put, sameJson, unlike, type Rule } from './rule.ts';

/** Rules about the role of the local agent, and about who may take it. */
export const accessRules: readonly Rule[] = [
  {
    name: 'the agent’s role is taken with a second factor of the last hour, or by a named certificate of one anchor',
    problems: (d: Deployment): string[] => {
      const { trust } = agentOf(d);
      const byMfa = trust.some(({ Principal }) => JSON.stringify(Principal).includes('"AWS"'));
      return trust
        .filter(({ Effect, Principal, Action = [], Condition }) => {
          const named = byMfa
            ? sameJson(Action, ['sts:AssumeRole']) && ofThisAccount(Principal)
            : sameJson(Principal, { Service: ['rolesanywhere.amazonaws.com'] }) &&
              Action.every((action) =>
                ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'].includes(action),
              );
          return !(Effect === 'Allow' && named && sameJson(Condition, byMfa ? secondFactor : certificate(d)));
        })
        .map((statement) => JSON.stringify(statement))
        .concat(trust.length > 0 ? [] : ['nobody may take it']);
    },
    plant: (d: Deployment): void => {
      // What `BoolIfExists` says of a call by a plain access key, which carries no such fact, is yes.
      put(agentRole(d), 'AssumeRolePolicyDocument.Statement.0.Condition.Bool', undefined);
      put(agentRole(d), 'AssumeRolePolicyDocument.Statement.0.Condition.BoolIfExists', {
        'aws:MultiFactorAuthPresent': 'true',
      });
    },
  },
  {
    name: 'a session of the agent ends after an hour, however it began',
    problems: (d: Deployment): string[] =>
      unlike([agentRole(d)], { MaxSessionDuration: 3600 }).concat(
        unlike(ofType(d, 'AWS::RolesAnywhere::Profile'), {
          DurationSeconds: 3600,
          AcceptRoleSessionName: (value) => value !== true,
        }),
      ),
    plant: (d: Deployment): void => put(agentRole(d), 'MaxSessionDuration', 43_200),
  },
  {
    name: 'the agent sends in one way, as the address that answers come from, through this deployment’s identity',
    problems: (d: Deployment): string[] =>
      [...agentOf(d).granted, ...(agentOf(d).boundary ?? [])]
        .filter(({ Effect, Action = [] }) => Effect === 'Allow' && Action.some((a) => a.startsWith('ses:')))
        .filter(
          ({ Action, Resource = [], Condition }) =>
            !(
              sameJson(Action, ['ses:SendRawEmail']) &&
              Resource.every((arn) => /:(identity\/example\.com|configuration-set\/[\w-]+)$/.test(arn)) &&
              sameJson(Condition, { StringEquals: { 'ses:FromAddress': 'assistant@example.com' } })
            ),
        )
        .map((statement) => JSON.stringify(statement)),
    plant: (d: Deployment): void => {
      const statements = at(agentRole(d), 'Policies.0.PolicyDocument.Statement') as readonly object[];
      const index = statements.findIndex((statement) => JSON.stringify(statement).includes('ses:'));
      put(agentRole(d), `Policies.0.PolicyDocument.Statement.${index}.Condition`, undefined);
    },
  },
  {
    name: 'there is no IAM user, group or access key',
    problems: (d: Deployment): string[] =>
      d.resources
        .filter(({ type }) => /^AWS::IAM::(User|Group|AccessKey|UserToGroupAddition|UserPolicy)$/.test(type))
        .map(({ id, type }) => `${id} is a ${type}`),
    plant: (d: Deployment): void => {
      d.resources.push({ ...agentRole(d), id: 'Planted', type: 'AWS::IAM::AccessKey', properties: {} });
    },
  },
];

const secondFactor = {
  Bool: { 'aws:MultiFactorAuthPresent': 'true' },
  NumericLessThanEquals: { 'aws:MultiFactorAuthAge': '3600' },
};

function certificate(d: Deployment): object {
  const [anchor] = ofType(d, 'AWS::RolesAnywhere::TrustAnchor');
  return {
    ArnEquals: {
      'aws:SourceArn': `arn:aws:rolesanywhere:${region}:${account}:trust-anchor/${anchor && nameOf(anchor)}`,
    },
    StringEquals: { 'aws:PrincipalTag/x509Subject/CN': 'laptop' },
  };
}

function ofThisAccount(principal: unknown): boolean {
  const { AWS = [] } = principal as { AWS?: readonly string[] };
  return AWS.length === 1 && new RegExp(`^arn:aws:iam::${account}:(root$|user/|role/)`).test(AWS[0] ?? '');
}

function agentRole(d: Deployment): Resource {
  const role = named(d, 'AWS::IAM::Role', 'AgentRole');
  if (role === undefined) throw new Error(`${d.name} has no role for the agent`);
  return role;
}

/** The agent's role with its rights. */
export function agentOf(d: Deployment): RoleRights {
  const found = rolesOf(d).find(({ role }) => role.id === agentRole(d).id);
  if (found === undefined) throw new Error(`${d.name} has no role for the agent`);
  return found;
}
