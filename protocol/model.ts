import type { MailRecord } from './mail.ts';

/** A file of standing orders that the drafter may use. */
export interface StandingOrder {
  readonly path: string;
  readonly text: string;
}

/** What a drafter gets to see. No tool, no address book, no secret. */
export interface ModelRequest {
  readonly taskId: string;
  readonly mail: MailRecord;
  /** The readable text of the mail: data, never instructions. */
  readonly text: string;
  readonly handbook?: string;
  readonly templates: readonly StandingOrder[];
  /** The person's words when a draft was sent back. */
  readonly note?: string;
}

/** Words for the draft, and who wrote them (`templates:invoice`, a model's name). */
export interface ModelReply {
  readonly text: string;
  readonly writtenBy: string;
}
