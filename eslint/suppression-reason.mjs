const DIRECTIVE = /^\s*eslint-disable(?:-next-line|-line)?(?=\s|$)(?<rest>[^]*)$/;
const PRETTIER = /^\s*prettier-ignore(?:-start)?(?<rest>[^]*)$/;
const MIN_REASON_CHARS = 10;

/**
 * Whoever silences a rule names the rule and says why: `// eslint-disable-next-line RULE -- REASON`.
 * (`@ts-expect-error` is held to the same by @typescript-eslint/ban-ts-comment.)
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const suppressionReason = {
  meta: {
    type: 'problem',
    docs: { description: 'a suppression names its rule and its reason' },
    schema: [],
    messages: {
      rule: 'Name the rule that is disabled; a bare eslint-disable hides everything.',
      reason: `Say why, in ${MIN_REASON_CHARS} characters or more, after " -- ".`,
    },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const eslint = DIRECTIVE.exec(comment.value)?.groups?.['rest'];
          const prettier = PRETTIER.exec(comment.value)?.groups?.['rest'];
          const rest = eslint ?? prettier;
          if (rest === undefined || comment.loc == null) continue;
          // One column before the comment, where the directive itself does not reach: otherwise it would hide
          // the very report about it.
          const { line } = comment.loc.start;
          const loc = { start: { line, column: -1 }, end: comment.loc.end };
          const [rules = '', ...reason] = rest.split(/\s-{2,}\s/);
          if (eslint !== undefined && rules.trim() === '') context.report({ loc, messageId: 'rule' });
          if (reason.join('').trim().length < MIN_REASON_CHARS) context.report({ loc, messageId: 'reason' });
        }
      },
    };
  },
};
