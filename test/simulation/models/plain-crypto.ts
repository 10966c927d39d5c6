import { sha256Hex } from '#protocol/canonical.ts';
import type * as Seal from '#protocol/seal.ts';
import type * as Signing from '#protocol/signing.ts';

/**
 * Sealing and signing without chance and without secrets, for the models. Sound, because no step of a model forges or
 * reads what is sealed: all that the append relies on is that a sealed text opens to what went in under its context,
 * that the signature of another text or key does not verify, and that neither changes what is written where. The hash
 * chain is the real one. Without chance, because a program is run anew with the same answers and has to write the same
 * bytes again.
 */
export const plainSeal: Pick<typeof Seal, 'seal' | 'open'> = {
  seal: (key, plaintext, context) =>
    Buffer.concat([Buffer.from(sha256Hex(`${key}/${context}`).slice(0, 8)), plaintext]),
  open: (key, sealed, context) => {
    const bytes = Buffer.from(sealed);
    const mark = sha256Hex(`${key}/${context}`).slice(0, 8);
    if (bytes.subarray(0, 8).toString() !== mark) throw new Error('sealed for something else');
    return bytes.subarray(8);
  },
};

/** A signature is the hash of the key and the text. */
export const plainSigning: Pick<typeof Signing, 'signText' | 'verifyText' | 'verifyTextApart'> = {
  signText: (text, { publicKey }) => signatureOf(text, publicKey),
  verifyText: (text, signature, publicKey) => signature === signatureOf(text, publicKey),
  verifyTextApart: async (text, signature, publicKey) => signature === signatureOf(text, publicKey),
};

function signatureOf(text: string, publicKey: string): string {
  return Buffer.from(sha256Hex(`${publicKey}/${text}`), 'hex').toString('base64');
}
