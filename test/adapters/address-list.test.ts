import { describe, expect, it } from 'vitest';
import { parseAddressList } from '#adapters/address-list.ts';
import { parsed } from './raw-mail.ts';

describe('an address header', () => {
  it.each([
    ['a@x.example', ['a@x.example']],
    ['Ann Lee <a@x.example>', ['Ann Lee|a@x.example']],
    ['"Lee, Ann" <a@x.example>', ['Lee, Ann|a@x.example']],
    ['"say \\"hi\\"" <a@x.example>', ['say "hi"|a@x.example']],
    ['=?utf-8?B?xbvDs8WCxIc=?= <a@x.example>', ['Żółć|a@x.example']],
    ['a@x.example (Ann (the boss) Lee)', ['Ann the boss Lee|a@x.example']],
    ['a(comment)@x.example', ['comment|a@x.example']],
    ['a @ x.example', ['a@x.example']],
    ['Team: a@x.example, Bo <b@y.example>;', ['a@x.example', 'Bo|b@y.example']],
    ['undisclosed-recipients:;', []],
    ['<@relay.example:a@x.example>', ['a@x.example']],
    ['"odd,local"@x.example', ['"odd,local"@x.example']],
    ['Ann <a@x.example', ['Ann|a@x.example']],
    ['josé@exámple.example', ['josé@exámple.example']],
  ])('%s', (header, expected) => {
    const found = parseAddressList(header).map(({ name, address }) =>
      name ? `${name}|${address}` : address,
    );
    expect(found).toEqual(expected);
  });

  it.each([
    ['two addresses', 'a@x.example, b@y.example'],
    ['two addresses with nothing between', 'a@x.example b@y.example'],
    ['two mailboxes with nothing between', 'Ann <a@x.example> Bo <b@y.example>'],
    ['an address behind the mailbox', '<a@x.example> b@y.example'],
    ['an address glued to the mailbox', '<a@x.example>b@y.example'],
    ['a semicolon for a comma', 'a@x.example; b@y.example'],
    ['a group', 'Bosses: a@x.example, b@y.example;'],
  ])('with %s names two', (_what, header) => {
    expect(parseAddressList(header).map(({ address }) => address)).toEqual(['a@x.example', 'b@y.example']);
  });

  it.each([
    ['an encoded word', '=?utf-8?q?boss=40x.example?= <evil@y.example>'],
    ['an encoded word with brackets', '=?utf-8?q?Boss_=3Cboss=40x.example=3E?= <evil@y.example>'],
    ['a quoted name', '"boss@x.example" <evil@y.example>'],
    ['a plain name', 'boss@x.example <evil@y.example>'],
    ['a comment', '(boss@x.example) evil@y.example'],
  ])('never takes the address from %s', (_what, header) => {
    expect(parseAddressList(header).map(({ address }) => address)).toEqual(['evil@y.example']);
  });

  it('has no address that only an encoded word holds', () => {
    expect(parseAddressList('=?utf-8?q?Boss_=3Cboss=40x.example=3E?=')).toEqual([]);
    expect(parseAddressList('<=?utf-8?q?boss=40x.example?=>')).toEqual([]);
    expect(parseAddressList('<=?utf-8?q?boss@x.example>')).toEqual([]);
    expect(parseAddressList('<<scan@@copier>\0 ;')).toEqual([]);
  });

  it('lets no line break into a name', () => {
    const word = Buffer.from('Boss\r\nBcc: victim@x.example').toString('base64');
    expect(parseAddressList(`=?utf-8?B?${word}?= <a@x.example>`)).toEqual([
      { name: 'Boss Bcc: victim@x.example', address: 'a@x.example' },
    ]);
  });

  it.each([
    '(',
    '"',
    '<',
    'a:',
    'a@b.c ',
    '<a@b.c>',
    '\\',
    '(\\',
    '"\\',
    '@',
    '=?',
    ',',
    ';',
    '=?utf-8?q?a?= ',
  ])('of a megabyte of %s is read in bounded time', (piece) => {
    const begun = performance.now();
    parseAddressList(`${piece.repeat(1_000_000 / piece.length)}a@x.example`);
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});

describe('the sender of a mail', () => {
  it('is two when there are two From headers', async () => {
    const mail = await parsed('From: a@x.example', 'Subject: hi', 'From: b@y.example', '', 'text');
    expect(mail.from.map(({ address }) => address)).toEqual(['a@x.example', 'b@y.example']);
  });

  it('is two when the two From headers name the same one', async () => {
    const mail = await parsed('From: a@x.example', 'FROM: a@x.example', '', 'text');
    expect(mail.from).toHaveLength(2);
  });

  it('may be a bare word, as bounces have it', async () => {
    const mail = await parsed('From: MAILER-DAEMON (Mail Delivery System)', '', 'text');
    expect(mail.from).toEqual([{ address: 'MAILER-DAEMON' }]);
  });

  it.each([
    ['none', 'Subject: x'],
    ['nothing', 'From:'],
    ['no address', 'From: Ann Lee'],
    ['an empty one', 'From: <>'],
  ])('that is %s makes the mail unreadable', async (_what, header) => {
    await expect(parsed(header, 'To: b@y.example', '', 'text')).rejects.toMatchObject({
      code: 'MAIL_UNREADABLE',
    });
  });
});
