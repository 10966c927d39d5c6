/** The desk's only style sheet; nothing is loaded from elsewhere. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c1f24, #e6e8eb);
  --soft: light-dark(#5b6470, #9aa4b1);
  --line: light-dark(#d9dde3, #363c45);
  --page: light-dark(#f6f7f9, #14171b);
  --card: light-dark(#ffffff, #1c2026);
  --good: light-dark(#12693a, #6fd39b);
  --warn: light-dark(#8a4b00, #f0b35e);
  --bad: light-dark(#a4161a, #ff8f8f);
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 58rem; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
main > h2 { margin: 2.5rem 0 .5rem; }
h3 { font-size: .95rem; margin: 0 0 .5rem; color: var(--soft); font-weight: 600; }
header p { margin: .25rem 0 1rem; color: var(--soft); }
a { color: inherit; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.25rem; margin: 1rem 0; }
.action { border: 1px solid var(--line); border-inline-start: .3rem solid var(--warn); border-radius: .4rem; padding: 1rem; margin: 1rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 .75rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: .75rem; border-radius: .4rem; background: var(--page); white-space: pre-wrap; overflow-wrap: anywhere;
  unicode-bidi: plaintext; font: .95rem/1.5 ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.command { display: inline-block; padding: .2rem .5rem; border-radius: .3rem; background: var(--page); border: 1px solid var(--line); user-select: all; }
.good { color: var(--good); }
.warn { color: var(--warn); }
header .bad, .bad { color: var(--bad); font-weight: 600; }
mark { background: #ffd24d; color: #1c1f24; padding: 0 .15em; border-radius: .2em; }
.empty { color: var(--soft); padding: 2rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: start; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td code { white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
details { margin-top: .75rem; }
summary { cursor: pointer; color: var(--soft); }
details pre { margin-top: .5rem; }
`;
