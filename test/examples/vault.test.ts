import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { splitFrontMatter } from '#protocol/front-matter.ts';
import { DEFAULT_POLICY, parsePolicy } from '#protocol/policy.ts';
import { chooseTemplate, fillTemplate, parseTemplate, type Template } from '#protocol/template.ts';
import { VAULT_FOLDERS } from '#protocol/vault-path.ts';
import { EXAMPLE_MAILS, readExpectedMails } from '#test/support/example-mails.ts';

const vault = path.resolve(import.meta.dirname, '../../examples/vault');
const read = (file: string): Promise<string> => readFile(path.join(vault, file), 'utf8');
const templateFiles = (await readdir(path.join(vault, 'Templates'))).sort();
const templates = await Promise.all(
  templateFiles.map(async (file): Promise<[string, Template]> => [
    file,
    parseTemplate(await read(`Templates/${file}`)),
  ]),
);
const drafted = (await readExpectedMails()).filter((mail) => mail.verdict === 'respond');

const PLACEHOLDERS = {
  'sender.firstName': 'Maya',
  'sender.name': 'Maya Linden',
  subject: 'Two places?',
  date: '16 November 2026',
  'owner.name': 'Robin Vale',
  'owner.signature': 'Kind regards\nRobin Vale',
  question: 'Is it $& open?',
  attachments: 'a.pdf',
};

describe('the templates of the starter vault', () => {
  it.each(templates)('%s bears the name of its file and uses known placeholders only', (file, template) => {
    expect(`${template.template}.md`).toBe(file);
    const used = [...template.body.matchAll(/\{\{([^}]*)\}\}/g)].map((match) => match[1] ?? '');
    expect(used.filter((name) => !(name in PLACEHOLDERS))).toEqual([]);
    expect(used).toContain(file === 'german.md' ? 'owner.name' : 'owner.signature');
  });

  it.each(templates)('%s still reads well when the mail holds no question', (_file, { body }) => {
    const draft = fillTemplate(body, { ...PLACEHOLDERS, question: '' });
    expect(draft).not.toMatch(/\{\{|""|„“|\n\n\n/);
    expect(
      draft
        .split('\n')
        .filter((line) => /[^.,:]$/.test(line))
        .join('\n'),
    ).toMatch(/Robin Vale$/);
  });

  it('have exactly one without conditions, and no two with the same priority', () => {
    const all = templates.map(([, template]) => template);
    expect(all.filter(({ when }) => when === undefined).map(({ template }) => template)).toEqual(['reply']);
    expect(new Set(all.map(({ priority }) => priority)).size).toBe(all.length);
  });

  it.each(drafted)('answer $file with "$template"', async ({ file, template }) => {
    const mail = await PostalMime.parse(await readFile(path.join(EXAMPLE_MAILS, file)));
    const header = mail.headers.find(({ key }) => key === 'content-language');
    const chosen = chooseTemplate(
      templates.map(([, parsed]) => parsed),
      {
        subject: mail.subject ?? '',
        text: mail.text ?? mail.html?.replace(/<style[^]*?<\/style>|<[^>]*>/g, ' ') ?? '',
        from: mail.from?.address ?? '',
        language: header?.value.slice(0, 2).toLowerCase() ?? '',
        hasAttachment: mail.attachments.some(({ disposition }) => disposition === 'attachment'),
      },
    );
    expect(chosen?.template).toBe(template);
  });

  it('are each the answer to one of the sample mails', () => {
    const used = new Set(drafted.map(({ template }) => `${template ?? ''}.md`));
    expect([...used].sort()).toEqual(templateFiles);
  });
});

describe('the notes of the starter vault', () => {
  it('the handbook gives name, signature and language', async () => {
    const { front } = splitFrontMatter(await read('Handbook.md'));
    const Handbook = z.object({ name: z.string(), signature: z.string(), language: z.literal('en') });
    expect(Handbook.parse(front).signature).toContain(Handbook.parse(front).name);
  });

  it('the policy says what holds without one', async () => {
    const policy = parsePolicy(await read('Policy.yaml'));
    expect({ ...policy, rules: [] }).toEqual(DEFAULT_POLICY);
    expect(policy.rules).toEqual([
      { kind: 'email.reply', tier: 'move' },
      { kind: 'email.send', tier: 'move' },
    ]);
  });

  it('the welcome note explains every folder and every placeholder', async () => {
    const text = await read('Welcome.md');
    expect(VAULT_FOLDERS.filter((folder) => !text.includes(`| \`${folder}/\` |`))).toEqual([]);
    expect(Object.keys(PLACEHOLDERS).filter((name) => !text.includes(`{{${name}}}`))).toEqual([]);
  });

  it.each(['Welcome.md', 'Handbook.md'])('the links in %s lead somewhere', async (file) => {
    const targets = [...(await read(file)).matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    await Promise.all(targets.map((target) => stat(path.join(vault, target))));
    expect(targets.length > 0).toBe(file === 'Welcome.md');
  });
});
