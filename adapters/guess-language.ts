/** Scripts that name a language by themselves; kana before Han, since Japanese uses both. */
const SCRIPTS: readonly (readonly [language: string, letters: RegExp])[] = [
  ['ja', /[\p{sc=Hira}\p{sc=Kana}]/gu],
  ['ko', /\p{sc=Hang}/gu],
  ['zh', /\p{sc=Han}/gu],
  ['ar', /\p{sc=Arab}/gu],
  ['he', /\p{sc=Hebr}/gu],
  ['ru', /\p{sc=Cyrl}/gu],
  ['el', /\p{sc=Grek}/gu],
];

/** Small words that are frequent in one language and rare in the others. */
const WORDS: Readonly<Record<string, ReadonlySet<string>>> = {
  en: words(
    'the and you your is are of to for with this that would have please we i it can thanks dear could what',
  ),
  de: words(
    'der die das und ich sie wir ist nicht ein eine für mit auf zu bitte ihre ihnen haben können vielen dank',
  ),
  fr: words(
    'le la les des et vous je nous est une un pour avec que votre bonjour merci pas dans sur du au pouvez',
  ),
  es: words(
    'el los las y usted que de para con por una un su es gracias hola está del puede nosotros muy buenos',
  ),
  it: words(
    'il lo gli e che di per con una un è grazie buongiorno sono della del può vorrei vostro noi non ciao',
  ),
  pt: words(
    'o os as e você que de para com por uma um é obrigado obrigada olá não da do pode seu sua bom dia nós',
  ),
  nl: words(
    'de het een en ik u wij je is niet van voor met op te aan graag bedankt hallo uw kunt zijn dat met beste',
  ),
};
const SAMPLE_CHARS = 5000;

/**
 * A guess at a text's language as a two-letter code (ISO 639-1): by script where that tells, otherwise by
 * small words. Falls back to `en`.
 */
export function guessLanguage(text: string): string {
  const sample = text.slice(0, SAMPLE_CHARS).toLowerCase();
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  for (const [language, script] of SCRIPTS) {
    const share = (sample.match(script)?.length ?? 0) / letters;
    // Kana are only a part of a Japanese text.
    if (share > (language === 'ja' ? 0.1 : 0.3)) return language;
  }
  const found = sample.match(/[\p{L}\p{M}]+/gu) ?? [];
  const scores = Object.entries(WORDS).map(([language, known]) => ({
    language,
    score: found.filter((word) => known.has(word)).length,
  }));
  const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
  return best.score >= 2 ? best.language : 'en';
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}
