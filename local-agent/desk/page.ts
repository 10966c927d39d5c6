import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { Action } from '#protocol/action.ts';
import { warningWords } from '#protocol/warning-words.ts';
import type { InboxItem } from '../inbox.ts';
import type { Snapshot } from '../pass.ts';
import type { Preview } from '../show.ts';
import { visibleText } from '../visible.ts';

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const REFRESH_SECONDS = 15;
const MAX_OTHERS = 100;
const STRANGE = /(⟨U\+[0-9A-F]{4,6}⟩)/;

/** What the desk has to show. */
export interface DeskState {
  readonly snapshot: Snapshot | undefined;
  /** Why the last pass failed, if it did: what is shown is then older than it looks. */
  readonly problem: string | undefined;
}

/** The whole page. Every text that came from outside goes through `shown`. */
export function deskPage({ snapshot, problem }: DeskState): Html {
  const waiting = snapshot?.waiting ?? [];
  // Nobody who is reading a draft wants the page to jump.
  const refresh =
    waiting.length === 0 ? html`<meta http-equiv="refresh" content="${REFRESH_SECONDS}" />` : '';
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${refresh}
        <title>${waiting.length === 0 ? 'Nothing waits' : `${waiting.length} waiting`} · AI Employee</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <header>
          <h1>What waits for you</h1>
          <p>
            ${snapshot ? html`As of <time datetime="${snapshot.at}">${clockTime(snapshot.at)} UTC</time>, ledger entry ${snapshot.head}, agent ${snapshot.agent}.` : 'No pass was made yet.'}
            <a href="/">Look again</a>
          </p>
          ${problem === undefined ? '' : html`<p class="bad" role="alert">The last pass failed: ${shown(problem)}</p>`}
          ${(snapshot?.incidents ?? []).map((incident) => html`<p class="bad" role="alert">Incident: ${shown(incident)}</p>`)}
        </header>
        <main>
          ${waiting.length === 0 ? html`<p class="empty">Nothing waits for you.</p>` : waiting.map(waitingTask)}
          ${others(snapshot?.others ?? [])}
        </main>
      </body>
    </html>`;
}

function waitingTask(preview: Preview): Html {
  const { task, actions, problem } = preview;
  const digest = preview.actionsDigest ?? '';
  return html`<article aria-labelledby="${task.taskId}">
    <h2 id="${task.taskId}"><bdi>${shown(task.subject)}</bdi></h2>
    <dl>
      <dt>Asked by</dt>
      <dd><bdi>${shown(task.from)}</bdi></dd>
      <dt>Sender</dt>
      <dd class="${preview.trust === 'authenticated' ? 'good' : 'warn'}">${shown(preview.sender)}</dd>
      ${
        task.why === undefined
          ? ''
          : html`<dt>Why</dt>
              <dd>${shown(task.why)}</dd>`
      }
    </dl>
    ${
      task.warnings.length === 0
        ? ''
        : html`<ul class="warn">
            ${task.warnings.map((code) => html`<li>${shown(warningWords(code))}</li>`)}
          </ul>`
    }
    ${problem === undefined ? '' : html`<p class="bad" role="alert">It cannot be approved as it stands: ${shown(problem)}</p>`}
    ${actions.map(actionCard)}
    ${
      digest === ''
        ? ''
        : html`<p>Digest <code class="digest">${digest}</code></p>
            <p>
              To approve exactly this:
              <code class="command">npx employee approve ${task.short} --digest ${digest.slice(0, 12)}</code>
            </p>`
    }
    <details>
      <summary>The whole note, ${shown(preview.path ?? '')}</summary>
      <pre dir="auto">${shown(preview.text)}</pre>
    </details>
  </article>`;
}

function actionCard(action: Action): Html {
  return html`<section class="action">
    <h3>${action.kind === 'email.reply' ? 'This answer would be sent' : 'This mail would be sent'}</h3>
    <dl>
      <dt>From</dt>
      <dd>${address(action.from)}</dd>
      <dt>To</dt>
      <dd>${action.to.map((to) => html`<div>${address(to)}</div>`)}</dd>
      ${
        action.cc.length === 0
          ? ''
          : html`<dt>Cc</dt>
              <dd>${action.cc.map((cc) => html`<div>${address(cc)}</div>`)}</dd>`
      }
      <dt>Subject</dt>
      <dd><bdi>${shown(action.subject)}</bdi></dd>
      ${action.attachments.map(
        ({ path, sizeBytes }) =>
          html`<dt>Attached</dt>
            <dd>${shown(path)} (${sizeBytes} bytes)</dd>`,
      )}
    </dl>
    <pre dir="auto">${shown(action.text)}</pre>
  </section>`;
}

function others(items: readonly InboxItem[]): Html | '' {
  if (items.length === 0) return '';
  const rows = items.slice(0, MAX_OTHERS).map(
    (item) =>
      html`<tr>
        <td><code>${item.short}</code></td>
        <td>${item.state}</td>
        <td><bdi>${shown(item.subject)}</bdi></td>
        <td><bdi>${shown(item.from)}</bdi></td>
        <td>${shown(item.why ?? '')}</td>
      </tr>`,
  );
  const rest = items.length - rows.length;
  return html`<h2>Everything else</h2>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">State</th>
            <th scope="col">Subject</th>
            <th scope="col">From</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${rest > 0 ? html`<p>and ${rest} older: <code>npx employee inbox --all</code></p>` : ''}`;
}

/** A text from outside: escaped, and what cannot be seen marked by its code point. */
function shown(text: string): Html {
  const parts = visibleText(text).split(STRANGE);
  return html`${parts.map((part) => (STRANGE.test(part) ? html`<mark>${part}</mark>` : part))}`;
}

/** An address, in which a letter that is not ASCII may be another one than it seems. */
function address(text: string): Html {
  const parts = visibleText(text).match(/⟨U\+[0-9A-F]{4,6}⟩|[\u0020-\u007e]+|./gu) ?? [];
  return html`<bdi>${parts.map((part) => (/^[\u0020-\u007e]+$/.test(part) ? part : strange(part)))}</bdi>`;
}

function strange(part: string): Html {
  const point = (part.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return part.startsWith('⟨')
    ? html`<mark>${part}</mark>`
    : html`<mark title="U+${raw(point)}">${part}</mark>`;
}

function clockTime(at: string): string {
  return at.slice(0, 19).replace('T', ' ');
}
