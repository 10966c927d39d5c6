import { z } from 'zod';

/** `git` in `employee.json`: whether the vault keeps a history, and where it is pushed. */
export const GitSettings = z.strictObject({
  /** @default true */
  enabled: z.boolean().default(true),
  /** The name of a remote, or its address. Nothing is pushed without. */
  remote: z
    .string()
    .min(1)
    .max(1000)
    .refine((remote) => !remote.startsWith('-'), 'a remote does not begin with "-"')
    .refine((remote) => !/^[a-z+]+:\/\/[^/@]*:[^/@]+@/i.test(remote), {
      message: 'an address must not hold a password: leave that to a credential helper of git or to ssh',
    })
    .optional(),
  /** The branch of the remote. @default this machine's name, so that two machines are never in each other's way */
  branch: z
    .string()
    .regex(
      /^[\p{L}\p{N}](?!.*(\.\.|\/\/|\/\.))[\p{L}\p{N}._/-]*(?<![./]|\.lock)$/u,
      'not a name that a branch can have',
    )
    .max(200)
    .optional(),
  pushEveryMinutes: z.int().min(1).max(1440).default(15),
  /** Larger files are not committed; the encrypted mirror has them. @default 5 MB */
  maxFileBytes: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(5 * 1024 * 1024),
});
export type GitSettings = z.infer<typeof GitSettings>;
