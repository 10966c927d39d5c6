const WORDS: Readonly<Record<string, string>> = {
  'injection-suspected':
    'It holds orders for a machine that reads along, or text that one cannot see. They were treated as text.',
  'reply-to-differs': 'It asks for the answer to be sent to another address than the one it came from.',
  'sender-failed': 'The check of the sender failed: somebody else may have written it.',
  'sender-unproved': 'Nothing proves that the sender is who it says.',
  'phishing-suspected':
    'It asks for secrets or money in the way that fraud does. Check by another way before you act.',
  damaged: 'Parts of it could not be read.',
  'model-failed':
    'The writer of drafts failed, so the draft is a built-in text. Please write the answer yourself.',
  'link-in-draft': 'The draft holds an address that is not from your own texts. Check it before you approve.',
  'standing-orders-unreadable': 'Some of your templates or the handbook could not be read.',
  'cannot-be-sent': 'It cannot be sent as it stands. Check the recipients and the subject.',
};

/** A task's warning in words for the person. A code that nobody here knows is shown as it is. */
export function warningWords(code: string): string {
  return Object.hasOwn(WORDS, code) ? (WORDS[code] ?? code) : code;
}
