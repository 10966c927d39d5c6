export { verifyVault } from './verify/verify.ts';
export type { VerifyReport } from './verify/verify.ts';
