import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApprovalTier } from '#protocol/approval.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import { DEFAULT_POLICY, parsePolicy, requiredTier } from '#protocol/policy.ts';
import type { Policy } from '#protocol/policy.ts';
import { sampleAction } from './samples.ts';
import type { Action } from '#protocol/action.ts';

const reply: Action = sampleAction();
const { inReplyTo: _inReplyTo, references: _references, ...fields } = sampleAction();
const send: Action = { ...fields, kind: 'email.send' };

describe('a policy', () => {
  it('that nobody wrote lets a move approve, after half a minute, for three days, fifty mails a day', () => {
    expect(DEFAULT_POLICY).toEqual({
      version: 1,
      default: 'move',
      rules: [],
      undoSeconds: 30,
      approvalValidHours: 72,
      dailyCap: { email: 50 },
    });
  });

  it('says what it says and leaves the rest as it is', () => {
    expect(parsePolicy('version: 1\ndefault: totp\nundoSeconds: 0\ndailyCap: {}\n')).toEqual({
      ...DEFAULT_POLICY,
      default: 'totp',
      undoSeconds: 0,
    });
  });

  it.each([
    ['nothing', '', 'version'],
    ['another version', 'version: 2', 'version'],
    ['a tier that nobody knows', 'version: 1\ndefault: none', 'default'],
    ['a kind that nobody knows', 'version: 1\nrules: [{kind: email.forward, tier: move}]', 'rules.0.kind'],
    ['a rule without a tier', 'version: 1\nrules: [{kind: email.send}]', 'rules.0.tier'],
    ['a misspelt key', 'version: 1\nrule: []', 'rule'],
    ['a negative cap', 'version: 1\ndailyCap: {email: -1}', 'dailyCap.email'],
    ['a cap that is a word', 'version: 1\ndailyCap: {email: many}', 'dailyCap.email'],
    ['no time to act', 'version: 1\napprovalValidHours: 0', 'approvalValidHours'],
    ['a key twice', 'version: 1\nversion: 1', 'unique'],
    ['an alias', 'version: 1\ndefault: *x', 'alias|Unresolved'],
    ['no YAML', 'version: [1', 'strict YAML'],
  ])('with %s is broken, and says where', (_name, text, where) => {
    expect(() => parsePolicy(text)).toThrow(NoteFormatError);
    expect(() => parsePolicy(text)).toThrow(new RegExp(where));
  });
});

describe('the tier that a plan needs', () => {
  const policy: Policy = {
    ...DEFAULT_POLICY,
    default: 'totp',
    rules: [
      { kind: 'email.reply', tier: 'move' },
      { kind: 'email.reply', tier: 'two-person' },
    ],
  };

  it('is that of the first rule that matches, or the default', () => {
    expect(requiredTier([reply], policy)).toBe('move');
    expect(requiredTier([send], policy)).toBe('totp');
    expect(requiredTier([send], DEFAULT_POLICY)).toBe('move');
  });

  it('is the strongest that any of its actions needs, in whatever order they stand', () => {
    const order = ['move', 'totp', 'passkey', 'two-person'] as const;
    const tier = fc.constantFrom(...ApprovalTier.options);
    fc.assert(
      fc.property(
        tier,
        tier,
        fc.array(fc.constantFrom(reply, send), { minLength: 1 }),
        (forReply, forSend, actions) => {
          const rules = [
            { kind: 'email.reply', tier: forReply },
            { kind: 'email.send', tier: forSend },
          ] as const;
          const needed = actions.map((action) =>
            order.indexOf(action.kind === 'email.reply' ? forReply : forSend),
          );
          const strongest = requiredTier(actions, { ...DEFAULT_POLICY, rules: [...rules] });
          expect(order.indexOf(strongest)).toBe(Math.max(...needed));
        },
      ),
    );
  });
});
