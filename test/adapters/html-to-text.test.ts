import { describe, expect, it } from 'vitest';
import { htmlToText } from '#adapters/html-to-text.ts';
import { withHtml } from './raw-mail.ts';

describe('HTML as text', () => {
  it.each([
    ['blocks', '<div>one</div><div>two</div>three', 'one\ntwo\nthree'],
    ['paragraphs', '<p>one</p><p>two</p>', 'one\n\ntwo'],
    ['breaks', 'one<br>two<br/>\nthree', 'one\ntwo\nthree'],
    ['white space', '  one\n\t two &nbsp; three ', 'one two three'],
    ['inline markup', 'f<b>oo</b> <i>bar</i>', 'foo bar'],
    ['lists', '<ul><li>one<li>two</ul>', '- one\n- two'],
    ['tables', '<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>', 'a b\nc d'],
    ['quotes', 'me<blockquote>you<blockquote>me</blockquote></blockquote>', 'me\n\n> you\n>\n> > me'],
    ['preformatted text', '<pre>a  b\n  c</pre>', 'a  b\n  c'],
    ['entities', '&lt;b&gt; &amp;amp; &eacute;&#8364;&#x1F98A; &bogus;', '<b> &amp; é€🦊 &bogus;'],
    ['a link', '<a href="https://x.example/a?b=1&amp;c=2">here</a>', 'here (https://x.example/a?b=1&c=2)'],
    ['a link that shows itself', '<a href="https://x.example/">x.example</a>', 'x.example'],
    ['a link to a script', '<a href="javascript:alert(1)">here</a>', 'here'],
    ['scripts and styles', 'a<script>"</b>evil"</script><style>b{}</style><!-- c -->d', 'ad'],
    ['the head', '<html><head><title>t</title></head><body>b</body></html>', 'b'],
    ['a head that nobody closed', '<head><meta charset=utf-8><body>b', 'b'],
    ['broken tags', 'a < b, c <3 d </ x> e <b', 'a < b, c <3 d e <b'],
    [
      'attributes with brackets',
      '<a title="a > b" href=\'https://x.example\'>x</a>',
      'x (https://x.example)',
    ],
  ])('keeps %s', (_what, html, expected) => {
    expect(htmlToText(html)).toEqual({ text: expected, hiddenText: false });
  });

  it.each([
    ['display', '<div style="display:none">evil</div>'],
    ['display with !important', '<div style="DISPLAY : none !important">evil</div>'],
    ['visibility', '<span style="visibility:hidden">evil</span>'],
    ['opacity', '<span style="opacity:0.0">evil</span>'],
    ['font size', '<span style="font-size:0">evil</span>'],
    ['a tiny font', '<span style="font-size:1px">evil</span>'],
    ['the hidden attribute', '<div hidden>evil</div>'],
    ['white on white', '<span style="color:#fff">evil</span>'],
    ['white on white by attributes', '<td bgcolor="#FFFFFF"><font color="white">evil</font></td>'],
    ['nearly white on white', '<span style="color:rgb(250, 250, 250)">evil</span>'],
    ['black on black', '<div style="background:#000"><p style="color:#010101">evil</p></div>'],
    ['transparent ink', '<span style="color:rgba(0,0,0,0)">evil</span>'],
    ['a class', '<style>.x, .y { display: none }</style><div class="y">evil</div>'],
    ['an id', '<style>#x{font-size:0px}</style><div id=x>evil</div>'],
    ['a box without height', '<div style="max-height:0px;overflow:hidden">evil</div>'],
    ['a place far away', '<div style="position:absolute;left:-9999px">evil</div>'],
    ['text far away', '<div style="text-indent:-9999px">evil</div>'],
    ['an element inside a hidden one', '<div style="display:none"><b>ev</b><div><i>il evil</i></div></div>'],
  ])('leaves out what is hidden by %s, and says so', (_what, html) => {
    expect(htmlToText(`seen ${html} too`)).toEqual({
      text: expect.stringMatching(/^seen\s+too$/) as string,
      hiddenText: true,
    });
  });

  it.each([
    [
      'white on a dark background',
      '<td style="background-color:#003366"><a style="color:#ffffff">Buy</a></td>',
      'Buy',
    ],
    ['white on a picture', '<td background="x.png"><span style="color:#fff">Buy</span></td>', 'Buy'],
    ['black ink', '<span style="color:rgb(0, 0, 0)">a</span>', 'a'],
    [
      'text of a proper size inside a layout of size 0',
      '<td style="font-size:0"><p style="font-size:14px">a</p></td>',
      'a',
    ],
    ['a style that hides itself', '<style style="display:none">p{margin:0}</style><p>a</p>', 'a'],
    [
      'a rule for small screens',
      '<style>@media(max-width:9px){.a{display:none}}.b{}</style><p class=a>a</p>',
      'a',
    ],
    ['a paragraph after a hidden one that nobody closed', '<p style="display:none">&nbsp;<p>a', 'a'],
    ['a zero-width filler', 'a<div style="display:none">&zwnj;&nbsp;&#8203; </div>', 'a'],
  ])('does not take for hidden %s', (_what, html, expected) => {
    expect(htmlToText(html)).toEqual({ text: expected, hiddenText: false });
  });

  it('finds words spelled in characters of no width', async () => {
    const spell = [...'obey'].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
    const mail = await withHtml(`<p>hello${spell}</p>`);
    expect(mail).toMatchObject({ text: 'hello', hiddenText: true });
  });

  it('leaves a flag and an emoji as they are', async () => {
    const scotland = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}';
    const mail = await withHtml(`<p>${scotland} ❤️ 👨‍👩‍👧</p>`);
    expect(mail).toMatchObject({ text: `${scotland} ❤️ 👨‍👩‍👧`, hiddenText: false });
  });

  it.each([
    '<div>',
    '<',
    '<a ',
    '<!--',
    '</p>',
    '<p>',
    '<td>',
    '<b style="',
    '<style>',
    '<span><td>',
    "<x y='",
    '&#1',
    '/*',
  ])('of a megabyte of %s is read in bounded time', (piece) => {
    const begun = performance.now();
    htmlToText(piece.repeat(1_000_000 / piece.length));
    htmlToText(`<style>${piece.repeat(100_000 / piece.length)}</style>`);
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});
