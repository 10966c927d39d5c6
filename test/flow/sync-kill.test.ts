import { describeSyncKills } from '#test/support/sync-kills.ts';

// The long run has 200 moments.
describeSyncKills(
  'killed at four random moments while people work on both machines, loses no version of bytes and ends with equal trees',
  4,
);
