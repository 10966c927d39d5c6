import { describeSyncKills } from '#test/support/sync-kills.ts';

describeSyncKills(
  'killed at 200 random moments while people work on both machines, loses no version of bytes and ends with equal trees',
  200,
);
