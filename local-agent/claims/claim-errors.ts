import { EmployeeError } from '#protocol/errors.ts';

/** The task cannot be claimed, released or handed over now. The message says who has it and what can be done. */
export class ClaimRefusedError extends EmployeeError {
  static override readonly code = 'CLAIM_REFUSED';
}

/** The shared store does not answer, and this claim cannot be decided without it. */
export class OfflineClaimError extends EmployeeError {
  static override readonly code = 'OFFLINE_CLAIM';
}

/** No machine of this vault has that name. */
export class UnknownAgentError extends EmployeeError {
  static override readonly code = 'UNKNOWN_AGENT';
}
