import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureAssembly, synthesize } from '#infra/synth.ts';
import { accessPlanOf, type AccessPlan } from '#local-cloud/iam/access-plan.ts';
import { checkDeliveries, DeliveryRefused } from '#local-cloud/iam/deliveries.ts';
import { enforce } from '#local-cloud/iam/enforcement.ts';
import type { Statement } from '#local-cloud/iam/policy.ts';
import { planOf } from '#local-cloud/plan.ts';
import { readAssembly } from '#local-cloud/template.ts';
import { placeholderBundles } from '#test/infra/deployments.ts';

const place = { region: 'us-east-1', accountId: '000000000000', sqsEndpoint: 'http://127.0.0.1:9' };
const stacks = readAssembly((await ensureAssembly()).assemblyDir);
const access = accessPlanOf(stacks, place);
const plan = planOf(stacks, place);

/** The policies of all resources, each statement changed or taken away. */
function changed(change: (statement: Statement) => Statement[]): AccessPlan {
  const resources = [...access.resources].map(
    ([arn, statements]) => [arn, statements.flatMap(change)] as const,
  );
  return { ...access, resources: new Map(resources) };
}

const isGrant = ({ Effect, Action }: Statement, action: string): boolean =>
  Effect === 'Allow' && Action?.includes(action) === true;

it(
  'the policies of every stage and profile can be evaluated, and let mail come in',
  { timeout: 60_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assemblies-'));
    try {
      const bundlesDir = await placeholderBundles(join(folder, 'bundles'));
      for (const context of [
        { stage: 'dev', profile: 'full' },
        { stage: 'prod', profile: 'lean' },
        { stage: 'prod', profile: 'full' },
      ]) {
        const outDir = join(folder, `${context.stage}-${context.profile}`);
        await synthesize({ bundlesDir, outDir, context });
        const other = readAssembly(outDir);
        const theirs = { access: accessPlanOf(other, place), plan: planOf(other, place) };
        expect(() => checkDeliveries(theirs.access, theirs.plan, place)).not.toThrow();
        expect(enforce(theirs.access, theirs.plan, place).grants().length).toBeGreaterThan(15);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

describe('mail comes in only by the policies of bucket, topic and queue', () => {
  it('which let it', () => {
    expect(() => checkDeliveries(access, plan, place)).not.toThrow();
  });

  it.each([
    [
      's3:PutObject',
      'ses',
      /receipt rule assistant cannot deliver.*s3:PutObject on resource: "arn:aws:s3:::[^"]*\/inbound\//,
    ],
    ['sns:Publish', 'ses', /receipt rule assistant cannot deliver.*sns:Publish on resource: arn:aws:sns:/],
    [
      'sqs:SendMessage',
      'sns',
      /topic arn:aws:sns:\S* cannot deliver.*sqs:sendmessage on resource: arn:aws:sqs:/,
    ],
  ])('not without %s for %s', (action, _, message) => {
    const without = changed((statement) => (isGrant(statement, action) ? [] : [statement]));
    const check = (): void => checkDeliveries(without, plan, place);
    expect(check).toThrow(DeliveryRefused);
    expect(check).toThrow(message);
    expect(check).toThrow(/because no resource-based policy allows the/);
  });

  it.each(['s3:PutObject', 'sns:Publish', 'sqs:SendMessage'])('not by %s for another source', (action) => {
    const other = changed((statement) =>
      isGrant(statement, action)
        ? [{ ...statement, Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:ses:*:*:other' } } }]
        : [statement],
    );
    expect(() => checkDeliveries(other, plan, place)).toThrow(DeliveryRefused);
  });

  it('not against a deny', () => {
    const denied = changed((statement) =>
      statement.Effect === 'Deny'
        ? [{ ...statement, Condition: { Bool: { 'aws:SecureTransport': 'true' } } }]
        : [statement],
    );
    expect(() => checkDeliveries(denied, plan, place)).toThrow(
      /with an explicit deny in a resource-based policy/,
    );
  });
});
