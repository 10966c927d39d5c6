import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { startDesk } from '#local-agent/desk/server.ts';
import type { Desk } from '#local-agent/desk/server.ts';
import type { DeskState } from '#local-agent/desk/page.ts';
import type { Preview } from '#local-agent/show.ts';

const open: Desk[] = [];
afterEach(async () => {
  for (const desk of open.splice(0)) await desk.close();
});

async function deskWith(state: DeskState): Promise<Desk> {
  const desk = await startDesk({ port: 0, state: () => state });
  open.push(desk);
  return desk;
}

function waiting(
  change: { to?: string; text?: string; subject?: string; from?: string; warnings?: string[] } = {},
): DeskState {
  const {
    to = 'alice@pinewood.example',
    text = 'Tuesday suits me.',
    subject = 'Re: Lunch',
    from = 'Alice',
    warnings = [],
  } = change;
  const preview: Preview = {
    task: {
      taskId: 't0123456789abcdef0123',
      short: 't0123456',
      state: 'pending_approval',
      subject,
      from,
      receivedAt: '2026-11-21T08:00:00.000Z',
      warnings,
    },
    path: 'Pending_Approval/Lunch.md',
    actions: [
      {
        kind: 'email.reply',
        from: 'me@example.com',
        to: [to],
        cc: [],
        subject,
        text,
        attachments: [],
        references: [],
      },
    ],
    actionsDigest: 'ab'.repeat(32),
    noteDigest: 'cd'.repeat(32),
    sender: 'alice@pinewood.example is not proved to have sent this',
    trust: 'unproved',
    text: `the note: ${text}`,
  };
  const snapshot = {
    at: '2026-11-21T08:00:01.000Z',
    agent: 'laptop',
    vault: '/vault',
    head: 7,
    waiting: [preview],
    others: [],
    incidents: [],
  };
  return { snapshot, problem: undefined };
}

/** `fetch` sets the Host header itself; an attacker's name has to be sent by hand. */
function get(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.on('end', () => resolve({ status: answer.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the desk', () => {
  it('shows recipients, subject, text, sender, warnings, digest and the command that approves just this', async () => {
    const desk = await deskWith(waiting({ warnings: ['the answer goes to another address'] }));
    const page = await (await fetch(desk.url)).text();
    for (const expected of [
      'alice@pinewood.example',
      'Re: Lunch',
      'Tuesday suits me.',
      'is not proved to have sent this',
      'the answer goes to another address',
      'ab'.repeat(32),
      'npx employee approve t0123456 --digest abababababab',
    ]) {
      expect(page).toContain(expected);
    }
  });

  it('says a warning in words', async () => {
    const desk = await deskWith(waiting({ warnings: ['reply-to-differs'] }));
    expect(await (await fetch(desk.url)).text()).toContain('to another address than the one it came from');
  });

  it('escapes what comes from outside, wherever it stands', async () => {
    const evil = '<img src=x onerror=alert(1)>"\'&';
    const desk = await deskWith(waiting({ text: evil, subject: evil, from: evil, warnings: [evil] }));
    const page = await (await fetch(desk.url)).text();
    expect(page).not.toContain('<img');
    expect(page.split('&lt;img src=x onerror=alert(1)&gt;').length - 1).toBeGreaterThanOrEqual(5);
  });

  it('marks characters that would reorder or hide text', async () => {
    const desk = await deskWith(waiting({ text: 'pay \u202e001\u202c to\u200b Bo', subject: 'a\u0007b' }));
    const page = await (await fetch(desk.url)).text();
    expect(page).toContain('pay <mark>⟨U+202E⟩</mark>001<mark>⟨U+202C⟩</mark> to<mark>⟨U+200B⟩</mark> Bo');
    expect(page).toContain('a<mark>⟨U+0007⟩</mark>b');
    for (const unseen of ['\u202e', '\u202c', '\u200b', '\u0007']) expect(page).not.toContain(unseen);
  });

  it('marks a letter of an address that only looks like another', async () => {
    const desk = await deskWith(waiting({ to: 'alice@pinewo\u043ed.example' }));
    expect(await (await fetch(desk.url)).text()).toContain(
      'alice@pinewo<mark title="U+043E">\u043e</mark>d.example',
    );
  });

  it('allows no script, no frame, nothing from elsewhere, and is not kept', async () => {
    const { headers } = await fetch((await deskWith(waiting())).url);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it.each(['evil.example', 'evil.example:PORT', '127.0.0.1', '127.0.0.1:1', '127.0.0.1.evil.example:PORT'])(
    'shows nothing to a page that came by the name %s',
    async (name) => {
      const desk = await deskWith(waiting());
      const host = name.replace('PORT', new URL(desk.url).port);
      const answer = await get(desk.url, { host });
      expect(answer.status).toBe(421);
      expect(answer.body).not.toContain('pinewood');
    },
  );

  it('answers by the name localhost too', async () => {
    const desk = await deskWith(waiting());
    const answer = await get(desk.url, { host: `localhost:${new URL(desk.url).port}` });
    expect(answer.status).toBe(200);
  });

  it.each(['POST', 'PUT', 'DELETE'])('does nothing on %s', async (method) => {
    const desk = await deskWith(waiting());
    const host = new URL(desk.url).host;
    expect((await get(desk.url, { host }, method)).status).toBe(405);
  });

  it('says when what it shows is old because the last pass failed', async () => {
    const desk = await deskWith({ ...waiting(), problem: 'no answer from the <cloud>' });
    expect(await (await fetch(desk.url)).text()).toContain(
      'The last pass failed: no answer from the &lt;cloud&gt;',
    );
  });

  it('says that a port is taken, and which', async () => {
    const desk = await deskWith(waiting());
    const port = Number(new URL(desk.url).port);
    await expect(startDesk({ port, state: () => waiting() })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)) as string,
    });
  });
});
